"""Writes the model card, README.md of the model folder, from the manifest: no figure is typed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from .goldens import Probe
from .runtime import ExportedWindows

DATA = """\
| pictures | used for | source and terms as far as known (not verified) |
|---|---|---|
| scenes drawn by `training/scenes` from artwork (SVG) and photos | crops of logos, half logos, logos at wrong scales | the artwork shows trademarks of their owners |
| negatives, everyday: the part that may train | backgrounds, crops of others, mining | photos of others; not part of the project |
| FlickrLogos-27, training part | crops of others | for research (Kalantidis et al. 2011) |
| VMware pictures; negatives and everyday, the part kept aside | judging only | photos and screenshots of others |
"""
TALK = "| the talk | 1,040 | 0.966 | 0.883 | 0.979 | 0.769 | 140 / 42 / 3 / 855 |"


def write_card(folder: Path, manifest: dict, model: ExportedWindows, probes: list[Probe]) -> None:
    """Renders the card of a published model and asks the model about the probes."""
    threshold = manifest["thresholds"]["vmware"]
    lines = [
        "# Logos by windows: the talk's network",
        "",
        "Eight convolutions, two poolings and three dense layers that say whether a window shows VMware's wordmark. Run over a",
        "whole picture they give the score of every fourth window at once. `manifest.json` is the contract; this page is written",
        "from it by the training. It is here to show the talk's way of 2018 at its best; the daemon uses the one-pass detector.",
        "",
        f"Version {manifest['version']}: {manifest['size']['parameters']:,} parameters, "
        f"{manifest['files']['model']['bytes'] / 1e6:.1f} MB (8 bits a weight, the first dense layer 4).",
        "",
        "## Figures",
        "Crops of the VMware pictures (no box is left out but those marked `ignore`) and of negatives that were kept aside, in the",
        "talk's proportion of 182 to 858. None trained, but they chose the threshold and were seen while training: the figures are",
        "slightly kind. `exact`: each box once; `jittered`: and four windows somewhat off, as a sliding window meets it.",
        "Confusion: logos found / logos missed / others taken for logos / others right.",
        "",
        "| crops | count | macro precision | macro recall | logo precision | logo recall | confusion |",
        "|---|---|---|---|---|---|---|",
        TALK,
    ]
    for name in ("exact", "jittered"):
        for at, found in manifest["figures"]["crops"][name]["at"].items():
            counts = [count for row in found["confusion"] for count in row]
            lines.append(
                f"| {name}, from {at} | {sum(counts):,} | {found['macro_precision']:.3f} | {found['macro_recall']:.3f} "
                f"| {found['logo_precision']:.3f} | {found['logo_recall']:.3f} | {' / '.join(map(str, counts))} |"
            )
    near = manifest["figures"]["crops"]["near"]["at"]
    lines += ["", "The talk's crops were others: the comparison is one of kinds, not of the same test.", ""]
    for at, found in near.items():
        lines.append(
            f"Of {found['others']} windows of the VMware pictures away from every logo (many with the name in plain type), "
            f"{found['taken_for_logos']} are taken for logos from {at}."
        )
    lines += ["", "Recall from 0.5, by size in the picture and condition:", "", "| condition | boxes | exact | jittered |", "|---|---|---|---|"]
    for row in manifest["figures"]["conditions"]:
        lines.append(f"| {row['condition']} | {row['boxes']} | {row['recall_exact']:.3f} | {row['recall_jittered']:.3f} |")
    alarms = manifest["figures"]["false_alarms_a_picture"]
    lines += [
        "",
        f"Whole pictures have thousands of windows each. False alarms a picture, over {alarms['pictures']} pictures that were kept aside:",
        "",
        "| threshold | all | negatives | everyday |",
        "|---|---|---|---|",
    ]
    for at, found in alarms["at"].items():
        lines.append(f"| {at} | {found['all']:.3f} | {found['negatives']:.3f} | {found['everyday']:.3f} |")
    training = manifest["training"]
    lines += [
        "",
        f"The threshold for whole pictures is {threshold:g}.",
        "",
        "## Data",
        DATA,
        f"Command: `{training['command']}`, {training['crops']:,} crops and {training['mined']} mined ones, "
        f"{training['seconds']} s on {training['cpu']}. {training['history']}".strip(),
        "",
        "## Where it is not the talk's",
        *(f"- {deviation}" for deviation in training["deviations"]),
        "",
        *_probed(folder, model, probes),
        "## Not for",
        "- Other brands, or VMware's marks other than the wordmark.",
        "- Exact boxes: a core has one shape, 75:22, whatever the logo's.",
        "- Anything about the people in a picture.",
        "",
        "## Licence",
        manifest["licence"],
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _probed(folder: Path, model: ExportedWindows, probes: list[Probe]) -> list[str]:
    """The table of probes, and a picture of those that are wrong."""
    scores = model.windows(np.stack([probe.pixels for probe in probes]))
    lines = [
        "## Known failures",
        f"{len(probes)} windows of our own making, each condition in several colours; right from 0.5:",
        "",
        "| asks for | shows the logo | right | mean probability |",
        "|---|---|---|---|",
    ]
    for asks_for in dict.fromkeys(probe.asks_for for probe in probes):
        rows = [(probe.logo, score) for probe, score in zip(probes, scores, strict=True) if probe.asks_for == asks_for]
        right = sum((score >= 0.5) == logo for logo, score in rows)
        lines.append(f"| {asks_for} | {'yes' if rows[0][0] else 'no'} | {right} of {len(rows)} | {np.mean([score for _, score in rows]):.2f} |")
    wrong = [probe.pixels for probe, score in zip(probes, scores, strict=True) if (score >= 0.5) != probe.logo]
    path = folder / "failures.png"
    path.unlink(missing_ok=True)
    if wrong:
        columns = 6
        rest = -len(wrong) % columns
        tiles = [*wrong, *[np.full_like(wrong[0], 255)] * rest]
        sheet = np.vstack([np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)])
        Image.fromarray(sheet).save(path, optimize=True)
        lines += ["", f"The {len(wrong)} wrong ones:", "", "![Windows of our own making that are judged wrongly](failures.png)"]
    return [*lines, ""]
