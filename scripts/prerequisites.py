#!/usr/bin/env python3
"""Says in one line which program is missing and which package brings it.

    scripts/prerequisites.py cargo cc make
"""

import importlib.util
import re
import shutil
import subprocess
import sys

# What a check is called -> how to get it.
PACKAGES = {
    "cargo": "install Rust with rustup, 1.94 or newer",
    "cc": "install a C compiler, e.g. apt-get install build-essential",
    "c++": "install a C++ compiler, e.g. apt-get install build-essential",
    "make": "install it, e.g. apt-get install make",
    # OpenSSL, which librdkafka uses for TLS, is configured by a Perl script.
    "perl": "install it, e.g. apt-get install perl",
    "pip": "install it, e.g. apt-get install python3-pip",
    "venv": "install it, e.g. apt-get install python3-venv",
    "mvn": "install it, e.g. apt-get install maven",
    "java": "install it, e.g. apt-get install openjdk-17-jre-headless",
}

# Kafka 4's broker is compiled for it.
OLDEST_JAVA = 17


class Missing(Exception):
    """A program that has to be installed first; the message is the whole line to print."""


def check_java() -> None:
    """Raises unless the `java` in PATH is new enough."""
    output = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', output)
    if not version or int(version.group(1)) < OLDEST_JAVA:
        first = (output.strip() or "nothing").splitlines()[0]
        raise Missing(f"missing: java {OLDEST_JAVA} or newer (java -version says: {first}); {PACKAGES['java']}")


def need(*names: str) -> None:
    """Raises `Missing` for the first of `names` that this machine lacks."""
    for name in names:
        if name == "pip":
            there = importlib.util.find_spec("pip") is not None
        elif name == "venv":
            there = importlib.util.find_spec("ensurepip") is not None
        else:
            there = shutil.which(name) is not None
        if not there:
            raise Missing(f"missing: {name}; {PACKAGES[name]}")
        if name == "java":
            check_java()


def main() -> int:
    unknown = [name for name in sys.argv[1:] if name not in PACKAGES]
    if unknown:
        print(f"no such prerequisite: {', '.join(unknown)}; one of {', '.join(PACKAGES)}", file=sys.stderr)
        return 2
    try:
        need(*sys.argv[1:])
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
