#!/usr/bin/env python3
"""Times every query of docs/database.md and of the dashboard on a year of ten million mentions.

    scripts/bench_queries.py           load, measure, remove the server
    scripts/bench_queries.py --keep    leave the server and its data for the next time
    scripts/bench_queries.py --down    remove what --keep left
    scripts/bench_queries.py --only X  those whose names contain X
    scripts/bench_queries.py --plans   whole plans instead of their first line
    scripts/bench_queries.py --busy    judge by processor time, where others use the machine too

Prints the medians of five runs, first the time as the client sees it, then the processor time of the
server's process, and the top of the plan; fails if a query takes 100 ms or more. With --busy nothing
runs in parallel, so that the processor time is all of it. A load that was interrupted goes on where it
was, if the server was kept. It takes some minutes and 8 GB of disk.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import fetch
import postgres_server
from processes import Stopped, raise_on_signals

FOLDER = fetch.RUNTIME / "bench-queries"
STATE = FOLDER / "state.json"
STEPS = Path(__file__).with_name("bench_queries.sql")
MIGRATION = fetch.ROOT / "migrations" / "0001_schema.sql"
DOCUMENT = fetch.ROOT / "docs" / "database.md"
DASHBOARD = fetch.ROOT / "deploy" / "grafana" / "dashboards" / "overheard.json"

LIMIT_MS = 100.0
RUNS = 5
RANGES = {"24 h": 1, "7 days": 7, "30 days": 30, "a year": 365}
# Those of a small server of one's own, but for what makes loading quick.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "256MB",
}
MACRO = re.compile(r"\$__(\w+)\(([^()]*)\)")
TIME = re.compile(r"^Time: ([\d.]+) ms", re.MULTILINE)
# What `log_statement_stats` says of each statement.
PROCESSOR = re.compile(r"!\s+([\d.]+) s user, ([\d.]+) s system, [\d.]+ s elapsed")


class BenchFailed(Exception):
    """A query fails or is too slow, or the load failed."""


def say(text: str) -> None:
    print(text, flush=True)


def psql(url: str, text: str, *options: str) -> str:
    """What psql writes about `text`, messages last; its errors end the bench."""
    program = fetch.RUNTIME / "postgres" / "bin" / "psql"
    words = [program, "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", *options, url]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"{done.stderr.strip()}\nin\n{text}")
    return done.stdout + done.stderr


def server() -> dict:
    """The kept server where it still runs, else a new one without data."""
    if STATE.is_file():
        kept = json.loads(STATE.read_text())
        if postgres_server.is_up(kept):
            return kept
        remove()
    state = postgres_server.up(FOLDER / "postgres", settings=SETTINGS)
    STATE.write_text(json.dumps(state))
    STATE.chmod(0o600)
    return state


def remove() -> None:
    if STATE.is_file():
        postgres_server.down(json.loads(STATE.read_text()))
    shutil.rmtree(FOLDER, ignore_errors=True)


def load(url: str, mentions: int) -> None:
    """Runs the steps that are not done yet, each with its mark in one transaction."""
    psql(url, "CREATE SCHEMA IF NOT EXISTS bench; CREATE TABLE IF NOT EXISTS bench.steps (name text PRIMARY KEY);")
    steps = {"the schema": "CREATE SCHEMA overheard;\n" + MIGRATION.read_text()}
    script = STEPS.read_text()
    for name, value in {"mentions": mentions, "days": 365, "post_days": 30}.items():
        script = script.replace("{" + name + "}", str(value))
    for part in script.split("\n--- ")[1:]:
        name, _, text = part.partition("\n")
        steps[name] = "SET work_mem = '256MB'; SELECT setseed(0.5);\n" + text
    steps["statistics"] = "DROP TABLE bench.mentions;"
    done = set(psql(url, "SELECT name FROM bench.steps").splitlines())
    for name, text in steps.items():
        if name in done:
            continue
        began = time.monotonic()
        mark = f"\nINSERT INTO bench.steps VALUES ('{name}');"
        psql(url, text + mark, "--single-transaction")
        if name == "statistics":
            psql(url, "VACUUM ANALYZE")
        say(f"loaded: {name}, {time.monotonic() - began:.0f} s")


def expanded(sql: str, days: float, brands: str) -> str:
    """What Grafana's data source makes of a panel's query."""
    now = datetime.now(timezone.utc)
    since, until = (f"'{at:%Y-%m-%dT%H:%M:%S.%fZ}'" for at in (now - timedelta(days=days), now))

    def macro(found: re.Match) -> str:
        name, argument = found.groups()
        if name == "timeFrom":
            return since
        if name == "timeTo":
            return until
        if name == "timeFilter":
            return f"{argument} BETWEEN {since} AND {until}"
        raise BenchFailed(f"the bench does not know Grafana's macro $__{name}")

    return MACRO.sub(macro, sql).replace("$brand", brands)


def queries() -> "dict[str, str]":
    """Every documented query and every panel, by a name."""
    found = {}
    for number, block in enumerate(re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL), 1):
        if block.startswith("SELECT"):
            found[f"docs {number}: {' '.join(block.split())[:70]}"] = block
    dashboard = json.loads(DASHBOARD.read_text())
    for variable in dashboard["templating"]["list"]:
        found[f"dashboard: variable {variable['name']}"] = variable["query"]
        every = variable["allValue"]
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            if "rawSql" not in target:
                continue
            for name, days in RANGES.items():
                for which, brands in {"all": every, "one": "'vmware'"}.items():
                    title = f"dashboard: {panel['title']}, {name}, {which}"
                    found[title] = expanded(target["rawSql"], days, brands)
    return found


def measure(url: str, sql: str, busy: bool) -> "tuple[float, float, list[str]]":
    """The median milliseconds of a query, in all and of the processor, and its plan."""
    sql = sql.strip().rstrip(";") + ";\n"
    setting = "SET max_parallel_workers_per_gather = 0;\n" if busy else ""
    first = f"{setting}\\o /dev/null\n{sql}"
    times = psql(url, f"{first}\\timing on\n{sql * RUNS}")
    usage = psql(url, f"{first}SET log_statement_stats = on; SET client_min_messages = log;\n{sql * RUNS}")
    plan = psql(url, f"{setting}EXPLAIN {sql}").splitlines()
    took = statistics.median(float(found) for found in TIME.findall(times))
    spent = [1000 * (float(user) + float(system)) for user, system in PROCESSOR.findall(usage)]
    return took, statistics.median(spent[-RUNS:]), plan


def bench(arguments: argparse.Namespace) -> None:
    state = server()
    try:
        load(state["url"], arguments.mentions)
        slow, asked = [], 0
        for name, sql in queries().items():
            if arguments.only and arguments.only.lower() not in name.lower():
                continue
            asked += 1
            took, spent, plan = measure(state["url"], sql, arguments.busy)
            say(f"{took:7.1f} ms {spent:7.1f} ms  {name:<78}  {plan[0].strip()}")
            if arguments.plans:
                say("\n".join(plan))
            if (spent if arguments.busy else took) >= LIMIT_MS:
                slow.append(f"{name}: {took:.0f} ms, {spent:.0f} ms of the processor")
        if slow:
            raise BenchFailed(f"{len(slow)} of {asked} queries take {LIMIT_MS:.0f} ms or more:\n" + "\n".join(slow))
        say(f"{asked} queries, each below {LIMIT_MS:.0f} ms")
    finally:
        if not arguments.keep:
            remove()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=10_000_000, help="how many mentions the year has")
    parser.add_argument("--only", metavar="TEXT", help="only queries whose names contain it")
    parser.add_argument("--plans", action="store_true", help="print whole plans")
    parser.add_argument("--busy", action="store_true", help="judge by processor time")
    parser.add_argument("--keep", action="store_true", help="leave the server and its data")
    parser.add_argument("--down", action="store_true", help="remove what --keep left")
    arguments = parser.parse_args()
    raise_on_signals()
    try:
        if arguments.down:
            remove()
        else:
            bench(arguments)
        return 0
    except (BenchFailed, fetch.FetchError, postgres_server.PostgresFailed) as failure:
        print(f"bench-queries: {failure}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        return stopped.exit_code


if __name__ == "__main__":
    sys.exit(main())
