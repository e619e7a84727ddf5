"""Servers have the same versions in containers and natively, so that tests mean the same."""

import re
from pathlib import Path

import pins

COMPOSE = (Path(__file__).resolve().parent.parent.parent / "docker-compose.yml").read_text()


def test_kafka():
    images = set(re.findall(r"image: apache/kafka:(\S+)", COMPOSE))
    assert images == {pins.KAFKA["version"]}


def test_postgres_has_the_same_major_version():
    (image,) = re.findall(r"image: postgres:(\d+)", COMPOSE)
    assert image == pins.WHEELS["postgres"]["version"].partition(".")[0]
