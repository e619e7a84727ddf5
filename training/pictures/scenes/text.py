"""Ordinary text as alpha masks: interface words, and above all the brand's name set in a plain font.

A name in plain type is no logo, and it is what a detector of wordmarks confuses most.
"""

from __future__ import annotations

import functools
import random
import subprocess

import numpy as np
from PIL import Image, ImageDraw, ImageFont

NAME = ("VMware", "VMware", "VMware", "vmware", "VMWARE", "VMware vSphere", "VMware vCenter", "VMware Tools", "VMware Horizon",
        "vmware.com", "VMware, Inc.", "VMware NSX", "VMware vCloud NFV", "VMware Workspace")
NEAR = ("VMworld", "vSphere", "vCenter Server", "vRealize", "ware", "vmware-host", "Vmnare", "Veeam", "nutanix", "software",
        "warehouse", "hardware", "firmware", "vmkernel", "Virtual Machine", "VM01", "aware", "delaware", "vm network",
        "VMUG", "vmug", "vmworld", "wmvare", "Compware", "vmstore", "winware", "vnware", "wmware")
WORDS = ["the", "and", "of", "server", "host", "cluster", "settings", "storage", "network", "login", "password", "user", "name", "cancel", "next", "back", "finish", "help", "file", "edit", "view", "tools", "window", "status", "summary", "monitor", "configure", "permissions", "datastore", "memory", "usage", "free", "provisioned", "capacity", "error", "warning", "alarm", "task", "completed", "running", "powered", "on", "off", "snapshot", "template", "version", "build", "license", "Welcome", "Dashboard", "Home", "Inventory", "Search", "Recent", "Type", "Size", "Modified", "Date", "Open", "Save", "Close", "Exit", "About", "Options", "conference", "keynote", "session", "partner", "day", "hall", "registration", "coffee", "exit", "entrance", "sale", "open", "closed", "stop", "menu", "upgrade", "learn", "more", "medium", "high", "low", "congress", "center", "bloggers", "shuttle", "level", "grid", "ready", "certified", "partner", "forum", "solutions", "market", "street", "north", "south", "platform", "gate", "news", "today", "best", "quality", "fresh", "since", "international", "company", "group"]


@functools.lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """The fonts of this machine that hold Latin letters."""
    listed = subprocess.run(["fc-list", ":lang=en", "file"], capture_output=True, text=True, check=True).stdout
    found = sorted(line.strip().rstrip(":") for line in listed.splitlines())
    found = [path for path in found if path.endswith((".ttf", ".otf"))]
    if not found:
        raise RuntimeError("fc-list names no fonts; install some, such as fonts-dejavu and fonts-open-sans")
    return tuple(found)


@functools.lru_cache(maxsize=400)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def mask(text: str, rng: random.Random, height: int) -> np.ndarray:
    """A line of text as an alpha mask (uint8) of about this height, in a random font."""
    return render(text, rng.choice(fonts()), height)


def render(text: str, font_file: str, height: int) -> np.ndarray:
    """A line of text as an alpha mask (uint8) of about this height."""
    font = _font(font_file, max(6, height - height % 2))
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (max(1, right - left + 2), max(1, bottom - top + 2)))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(picture)


def phrase(rng: random.Random) -> str:
    """Words of interfaces and signs; sometimes the brand's name in plain type."""
    chance = rng.random()
    if chance < 0.25:
        return rng.choice(NAME)
    if chance < 0.4:
        return rng.choice(NEAR)
    words = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 5)))
    return rng.choice((words, words.title(), words.upper(), words.capitalize()))
