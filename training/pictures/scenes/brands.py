"""Brands that are learned from artwork: which SVG files show their logo.

To add a brand, put its artwork into the data's `artwork/` folder, name it here, and append the label to `LABELS` in
`models/logo_detector/labels.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """A file of `artwork/`, and its share among the brand's files.

    With `upper_part` the logo is only the part above the first empty row; other words are below it.
    """

    file: str
    share: float = 1.0
    upper_part: bool = False


DRAWN: dict[str, tuple[Drawing, ...]] = {
    # The wordmark without and with the registered sign; the second has "by Broadcom" below it.
    "vmware": (Drawing("vmware.svg", 0.25), Drawing("member-vmware.svg", 0.75, upper_part=True)),
}
# Artwork whose name holds one of these shows a brand that the detector knows, and is never drawn as another logo.
KNOWN = ("vmware", "google", "apple", "intel", "yahoo", "nbc", "ford", "mini")
