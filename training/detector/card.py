"""The model card: what a person should know before they trust the model. Written again from a model folder by
python -m training.detector.card --data DIR --model models/logo-detector"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..scenes.artwork import Artwork
from ..vision_evaluation.figures import Recall
from ..vision_evaluation.labelled import VMWARE
from . import failures
from .looking import Policy
from .runtime import onnx_look

TEXT = """# Logo detector

Finds the logos of {brands} brands in pictures, in one pass. Name and version: `{name}@{version}`; files, hashes, tensors and
thresholds are in `manifest.json`.

## Network
EfficientNet-Lite0 as backbone (ImageNet weights, Apache-2.0), a top-down feature pyramid, and anchor-free heads at strides
8, 16, 32 and 64; 3.2 million parameters, {precision}, {size:.1f} MB. Sources of the methods are named in `training/detector/`.

A picture is looked at with its longer side at {sides} pixels; where that shows a score of {again_from} or more, at {again_sides},
too; pictures above {above} pixels also in tiles, at {tile_scales} times their size. What the views show is fused: a logo's score counts the views that agree.

## Training
`{command}`
Trained on the 565 training pictures of FlickrLogos-27 (crops, whole pictures, mosaics, logos pasted elsewhere), and for
VMware on scenes that `training/scenes/` draws from its artwork; nothing of a validation picture was trained on.

## Figures on validation pictures
| what | figure |
|---|---|
| FlickrLogos-27 val, mean average precision at IoU 0.5, 27 brands | {map50} |
| VMware's wordmark, average precision at IoU 0.5 | {vmware_ap} |
| points of average precision lost by 8 bits (the worse of both) | {lost} |

Average precision by brand: {by_brand}.

VMware's wordmark, recall at IoU 0.5 with {alarms} false alarms a picture without it:

| boxes | recall |
|---|---|
{by_class}

"Easy" are those that are not marked as difficult, truncated or occluded.

The thresholds were chosen on these same pictures, so the recall is slightly kind; average precision knows no threshold. A
brand of FlickrLogos-27 has four or five boxes there, so one box is worth 20 points of its brand.

## In pictures of our own making
Drawn, {each} a condition, at the threshold of the manifest:

{conditions}

{findings}
## Not for
Deciding about people; proving that a logo is absent; brands and versions of logos that it was not trained on. The pictures
of FlickrLogos-27 are from around 2010, and so are the logos.

## Licence
The weights come under the licence of the project, the backbone's under Apache-2.0. The pictures that it was trained on are
not part of it and have terms of their own. Logos are trademarks of their owners.
"""


def write_card(folder: Path, manifest: dict, artwork: Artwork) -> None:
    """Looks at pictures of our own making and writes README.md; what was found out by looking at errors stands in
    `findings.md` beside this file."""
    outcomes = failures.probe(onnx_look(folder / "model.onnx"), Policy(), artwork, manifest["thresholds"][VMWARE])
    figures, scales = manifest["figures"], manifest["scales"]
    found = Path(__file__).with_name("findings.md")
    classes = [(name, Recall(**counts)) for name, counts in figures["vmware_recall"].items()]
    text = TEXT.format(
        brands=len(manifest["labels"]), name=manifest["name"], version=manifest["version"], precision=manifest["precision"],
        size=manifest["files"]["model"]["bytes"] / 1e6, command=manifest["training"]["command"],
        sides=", ".join(map(str, scales["longest_sides"])), again_from=scales["again"]["from"],
        again_sides=", ".join(map(str, scales["again"]["longest_sides"])), above=scales["tiles"]["from"],
        tile_scales=" and ".join(f"{scale:g}" for scale in scales["tiles"]["scales"]),
        map50=figures["flickrlogos_map50"], alarms=figures["vmware_false_alarms_a_picture"], vmware_ap=figures["vmware_ap50"],
        lost=figures["lost_by_8_bits"], by_class="\n".join(f"| {name} | {recall} |" for name, recall in classes),
        each=failures.EACH, conditions="\n".join(failures.write(folder, outcomes)),
        by_brand=", ".join(f"{name} {value}" for name, value in figures["flickrlogos_ap50"].items()),
        findings=found.read_text() + "\n" if found.exists() else "",
    )
    (folder / "README.md").write_text(text)


def main() -> None:
    """Writes the card of a model that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with artwork/")
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    arguments = parser.parse_args()
    manifest = json.loads((arguments.model / "manifest.json").read_text(encoding="utf-8"))
    write_card(arguments.model, manifest, Artwork(arguments.data / "artwork"))


if __name__ == "__main__":
    main()
