#!/usr/bin/env python3
"""Compares how long boolean queries take here and in Lucene Monitor, on the same queries and posts.

    scripts/bench_queries_peer.py            both engines, one thread each
    scripts/bench_queries_peer.py --runs 5   medians of five runs instead of three

Prints microseconds of the processor's time a post. Fails if the two don't find the same, if a thousand queries cost more than
twice what ten cost on posts that match none, or if Lucene Monitor, with the presearcher that suits it
best, takes less than twenty times as long. It needs Maven and Java 21 or newer and takes some fifteen minutes.
"""

import argparse
import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import fetch
from prerequisites import Missing, need
from processes import Stopped, raise_on_signals

PEER = fetch.ROOT / "benches" / "peers" / "lucene"
TARGET = fetch.ROOT / "target"
FOLDER = TARGET / "query-peers"

OURS = "overheard"
OLDEST_JAVA = 21
MOST_GROWTH = 2.0
LEAST_LEAD = 20.0


@dataclass
class Times:
    """How long an engine takes for some queries on some posts."""

    queries: str
    posts: str
    engine: str
    microseconds: float
    checked: int


class BenchFailed(Exception):
    """An engine failed, or a goal was missed."""


def run(words: list, **options) -> str:
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        raise BenchFailed(f"{' '.join(map(str, words))} failed")
    return done.stdout


def java_home() -> Path:
    """The newest Java of those that the environment and the system know."""
    found = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    if java := shutil.which("java"):
        found.append(Path(java).resolve().parent.parent)
    found += Path("/usr/lib/jvm").glob("*")
    versions = {}
    for home in found:
        if (home / "bin" / "javac").is_file():
            said = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False)
            if version := re.search(r'version "(\d+)', said.stderr):
                versions[int(version.group(1))] = home
    newest = max(versions, default=0)
    if newest < OLDEST_JAVA:
        raise BenchFailed(f"Lucene needs a JDK of version {OLDEST_JAVA} or newer; install one or set JAVA_HOME")
    return versions[newest]


def measured(output: str) -> list[Times]:
    times = []
    for line in output.splitlines():
        if line.count("\t") == 4:
            queries, posts, engine, runs, checked = line.split("\t")
            times.append(Times(queries, posts, engine, statistics.median(ast.literal_eval(runs)), int(checked)))
    return times


def matches(file: Path, checked: int) -> set[str]:
    lines = file.read_text().splitlines()
    return {line for line in lines if int(line.split("\t")[0]) < checked}


def check(theirs: Times) -> None:
    """Both must find the same in the posts that the other engine was given the time to check."""
    stem = FOLDER / theirs.posts.removesuffix(".txt")
    engine = re.sub(r"\W+", "-", theirs.engine)
    there = matches(Path(f"{stem}-lucene-{engine}.matches"), theirs.checked)
    here = matches(Path(f"{stem}-{OURS}.matches"), theirs.checked)
    if here != there:
        raise BenchFailed(
            f"{theirs.posts}, {theirs.engine}: only here {sorted(here - there)[:3]}, "
            f"only there {sorted(there - here)[:3]}"
        )


def bench(runs: int) -> None:
    need("cargo", "mvn")
    home = java_home()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    ours = run(
        ["cargo", "bench", "--locked", "--bench", "query_peers", "--", FOLDER, str(runs)], cwd=fetch.ROOT
    )
    environment = os.environ | {"JAVA_HOME": str(home)}
    run(["mvn", "-q", "-B", "compile"], cwd=PEER, env=environment)
    peer = TARGET / "lucene-monitor-peer"
    path = f"{peer / 'classes'}:{(peer / 'classpath').read_text().strip()}"
    words = [home / "bin" / "java", "--add-modules", "jdk.incubator.vector", "-Xms1g", "-Xmx1g", "-cp", path]
    theirs = run([*words, "peers.MonitorBench", FOLDER, str(runs)])
    report(measured(ours), measured(theirs))


def report(ours: list[Times], theirs: list[Times]) -> None:
    missed = []
    print(f"{'queries':12} {'number':>6}  {'that match':12} {'matches':>7} {'here µs':>8} {'there µs':>9} {'ratio':>6}  presearcher")
    for here in ours:
        kind, number, matching = re.fullmatch(r"posts-(.*)-(\d+)-(none|one-percent).txt", here.posts).groups()
        count = len(matches(FOLDER / f"{here.posts.removesuffix('.txt')}-{OURS}.matches", here.checked))
        peers = sorted((time for time in theirs if time.posts == here.posts), key=lambda time: time.microseconds)
        for there in peers:
            check(there)
            ratio = there.microseconds / here.microseconds
            print(
                f"{kind:12} {number:>6}  {matching:12} {count:7} {here.microseconds:8.2f} "
                f"{there.microseconds:9.1f} {ratio:6.1f}  {there.engine}"
            )
        lead = peers[0].microseconds / here.microseconds
        if lead < LEAST_LEAD:
            missed.append(f"{kind}, {number}, {matching}: Lucene Monitor takes only {lead:.1f} times as long")
    print()
    for kind in dict.fromkeys(time.queries.rsplit("-", 1)[0] for time in ours):
        few, many = (
            next(time.microseconds for time in ours if time.posts == f"{kind.replace('queries', 'posts')}-{n}-none.txt")
            for n in (10, 1000)
        )
        print(f"{kind.removeprefix('queries-')}: 1,000 queries take {many / few:.2f} times what 10 take")
        if many > MOST_GROWTH * few:
            missed.append(f"{kind}: 1,000 queries take more than {MOST_GROWTH:g} times what 10 take")
    if missed:
        raise BenchFailed("\n".join(missed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median counts")
    arguments = parser.parse_args()
    raise_on_signals()
    try:
        bench(arguments.runs)
        return 0
    except (BenchFailed, Missing) as failure:
        print(f"bench-queries-peer: {failure}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        return stopped.exit_code


if __name__ == "__main__":
    sys.exit(main())
