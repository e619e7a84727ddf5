"""Brands that are learnt from artwork: which SVG files show their logo.

To add a brand, put its artwork into the data's `artwork/` folder, name it here, and append the label to `LABELS` in
`detector/labels.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """A file of `artwork/`, and how often it is drawn among the brand's files.

    With `upper_part` only what stands above the first empty row is the logo: below it stand other words.
    """

    file: str
    share: float = 1.0
    upper_part: bool = False


DRAWN: dict[str, tuple[Drawing, ...]] = {
    # The wordmark without and with the sign of registration; in the second, "by Broadcom" stands below.
    "vmware": (Drawing("vmware.svg", 0.25), Drawing("member-vmware.svg", 0.75, upper_part=True)),
}
# Artwork whose name holds one of these shows a brand that the detector knows, and is never drawn as something else.
KNOWN = ("vmware", "google", "apple", "intel", "yahoo", "nbc", "ford", "mini")
