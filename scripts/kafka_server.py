"""A real Kafka broker for development and tests: one process that is broker and controller."""

import base64
import contextlib
import secrets
import socket
import struct
import subprocess
import time
from pathlib import Path

import fetch
from prerequisites import need
from processes import free_port, gone, is_alive, spawn, stop, tail

# Small, and quick to start: the broker lives for minutes and serves a handful of topics.
JVM = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
LOGGING = [
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
# A missing topic must be seen as missing.
auto.create.topics.enable=false
# One broker.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Tests should neither wait for a group's first members nor 6 s for a dead one.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# Small: there is half a gigabyte of heap.
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""


class KafkaFailed(Exception):
    """The broker did not come up; the message holds the end of its log."""


def java(*arguments: str) -> list:
    libs = fetch.RUNTIME / "kafka" / "libs"
    return ["java", *JVM, *LOGGING, "-cp", f"{libs}/*", *arguments]


def up(folder: Path, deadline: float = 60.0) -> dict:
    """Starts a broker with its data below `folder`; returns its address and process."""
    need("java")
    fetch.fetch("kafka")
    folder.mkdir(parents=True, exist_ok=True)
    # A free port may be taken between looking and binding, so a few tries.
    for attempt in (1, 2, 3):
        broker, controller = free_port(), free_port()
        properties, log = folder / "server.properties", folder / "server.log"
        data = folder / f"data-{attempt}"
        properties.write_text(PROPERTIES.format(broker=broker, controller=controller, data=data))
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "_")
        formatted = subprocess.run(
            java("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(properties)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if formatted.returncode != 0:
            raise KafkaFailed(f"Kafka's storage could not be formatted:\n{formatted.stdout}{formatted.stderr}")
        process = spawn(java("kafka.Kafka", str(properties)), log)
        server = {"name": "kafka", "address": f"127.0.0.1:{broker}", "process": process, "log": str(log)}
        try:
            if wait_until_ready(broker, process, deadline):
                return server
        except BaseException:
            stop(process)
            raise
        stop(process)
        if "Address already in use" not in log.read_text(errors="replace"):
            break
    raise KafkaFailed(f"Kafka did not start; the end of {log}:\n{tail(log)}")


def wait_until_ready(port: int, process: dict, deadline: float) -> bool:
    until = time.monotonic() + deadline
    while time.monotonic() < until and not gone(process):
        if answers(port):
            return True
        time.sleep(0.1)
    return False


def answers(port: int) -> bool:
    """Whether the broker lists itself as one that clients may use.

    An open port is not enough: a broker that the controller has not let in yet accepts connections
    and knows no brokers. Asks for metadata, version 1, of no topics.
    """
    name = b"ready"
    request = struct.pack(f">hhih{len(name)}si", 3, 1, 1, len(name), name, 0)
    with contextlib.suppress(OSError, struct.error), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        reply = connection.makefile("rb").read(12)
        _size, correlation, brokers = struct.unpack(">iii", reply)
        return correlation == 1 and brokers > 0
    return False


def is_up(server: dict) -> bool:
    return is_alive(server["process"]) and answers(int(server["address"].rpartition(":")[2]))


def down(server: dict) -> None:
    stop(server["process"], deadline=10.0)
