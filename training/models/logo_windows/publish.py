"""From trained weights to the model folder: quantization, export, check, evaluation, goldens, manifest and card."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from ...model_folder.card import write_card
from ...model_folder.manifest import described, versions, write_manifest
from ...model_folder.onnx_file import check_distance
from ...pictures.crops.window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    CORE_X,
    CORE_Y,
    FILL,
    HEIGHT,
    ROOM,
    STRIDE,
    WIDTH,
)
from ...pictures.image_files import contact_sheet, write_png
from ...pictures.scenes.artwork import Artwork
from . import false_alarms
from .architecture import LABELS
from .evaluation import LabelledCrop, metrics_at, recall_by_condition
from .export import export
from .exported import ExportedWindows
from .goldens import golden_pictures
from .network import WindowNetwork, normalised
from .pyramid import NARROWEST_CORE, RATIO
from .quantization import bits_of, quantize
from .robustness import Case, cases
from .scoring import score_map

TOLERANCE = 1e-4
TALK_THRESHOLD = 0.5  # the larger of two probabilities
ALARM_THRESHOLDS = (0.5, 0.9, 0.95, 0.98, 0.99, 0.995)
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "opencv-python-headless", "pillow", "cairosvg")
SHEET_COLUMNS = 6
DEVIATIONS = [
    "Convolutions are not padded: a window is 102 x 50, the talk's 75 x 22 and the real context around it, so that the "
    "network can be run over whole pictures with the same scores. Dense layers are convolutions.",
    "A crop keeps its aspect: the core of 75 x 22 is fitted around a logo's box, which the talk stretched into it.",
    "The learning rate is lower (see `rate`; the first dense layer has a tenth, as in the talk), warms up and falls as a cosine.",
    "L1 1e-4 and L2 5e-4 act on the weights themselves, scaled by the rate, not through the renormalised gradient.",
    "Crops of logos are synthetic and always drawn anew; there are no epochs. False alarms on training pictures are added.",
    "The model is a moving average of the weights (over about 250 steps).",
    "Products are computed with 16-bit floats (bfloat16) in training. Weights are stored in 8 bits, the first dense layer in 4.",
]
NOTES = (
    "One brand, VMware's wordmark as used until 2023. It is here to show the talk's way; the detector is better and faster. "
    "Pixels are RGB, and what lies outside a picture is filled with the grey `window.fill`."
)
LICENCE = (
    "The weights come under the licence of the project. The pictures that they were trained on are not part of it and "
    "have terms of their own; VMware's name and wordmark are trademarks of their owner. See README.md."
)


def quantize_and_export(network: WindowNetwork, path: Path, crops: list[LabelledCrop]) -> dict:
    """Rounds the network's weights in place, writes the ONNX file, and compares both on `crops`; gives the sizes for the
    manifest. Raises ExportError if the file gives other results."""
    stored = {name: quantize(layer.weight.detach().numpy(), bits_of(name)) for name, layer in network.layers().items()}
    biases = {name: layer.bias.detach().numpy() for name, layer in network.layers().items()}
    with torch.no_grad():
        for name, layer in network.layers().items():
            layer.weight.copy_(torch.from_numpy(stored[name].restored()))
    export(stored, biases, path)
    pixels = np.stack([crop.pixels for crop in crops[:96]])
    network.eval()
    with torch.no_grad():
        expected = network(normalised(torch.from_numpy(pixels))).flatten(1).softmax(1)[:, 1].numpy()
    distance = check_distance(expected, ExportedWindows(path).window_scores(pixels), TOLERANCE)
    return {
        "parameters": int(sum(layer.values.size for layer in stored.values()) + sum(bias.size for bias in biases.values())),
        "bits": {name: layer.bits for name, layer in stored.items()},
        "distance_from_pytorch": float(f"{distance:.2g}"),
    }


def measure(network: WindowNetwork, path: Path, data: Path, sets: dict[str, list[LabelledCrop]], searched: int, folder: Path) -> tuple[float, dict]:
    """The threshold for whole pictures and the figures. `network` has the rounded weights of the file `path`; what was
    searched is kept in `folder`."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = false_alarms.search(data, lambda pixels: score_map(network, pixels), searched, folder / f"false-alarms-{digest[:12]}.jsonl")
    threshold = false_alarms.choose_threshold(rows)
    model = ExportedWindows(path)
    scores = {name: model.window_scores(np.stack([crop.pixels for crop in crops])) for name, crops in sets.items()}
    return threshold, {
        "crops": {
            name: {"at": {f"{at:g}": metrics_at(crops, scores[name], at) for at in sorted({TALK_THRESHOLD, threshold})}}
            for name, crops in sets.items()
        },
        "conditions": recall_by_condition(sets["jittered"], scores["jittered"], TALK_THRESHOLD),
        "false_alarms_a_picture": {
            "pictures": len(rows),
            "computed": "with 16-bit products, all scales, after suppression of what overlaps",
            "at": {f"{at:g}": false_alarms.per_picture(rows, at) for at in ALARM_THRESHOLDS},
        },
    }


def write_goldens(out: Path, model: ExportedWindows, pictures: dict[str, np.ndarray]) -> list[dict]:
    """Writes the golden pictures and gives their maps of probabilities."""
    (out / "goldens").mkdir(exist_ok=True)
    goldens = []
    for name, pixels in pictures.items():
        path = out / "goldens" / f"{name}.png"
        write_png(path, pixels)
        file = described(path, out)
        goldens.append(
            {
                "picture": file["path"],
                "sha256": file["sha256"],
                "width": pixels.shape[1],
                "height": pixels.shape[0],
                "probabilities": [[round(float(value), 6) for value in row] for row in model.score_map(pixels)],
            }
        )
    return goldens


def publish(out: Path, artwork: Artwork, size: dict, threshold: float, figures: dict, training: dict, version: str) -> dict:
    """Describes `model.onnx` in `out`: goldens, manifest and card. Returns the manifest."""
    model = ExportedWindows(out / "model.onnx")
    manifest = {
        "format": 1,
        "name": "logo-windows",
        "version": version,
        "kind": "logo-windows",
        "files": {"model": described(out / "model.onnx", out)},
        "inputs": [{"name": "pixels", "type": "uint8", "shape": ["batch", "height", "width", 3]}],
        "outputs": [{"name": "probabilities", "type": "float32", "shape": ["batch", "rows", "columns"]}],
        "labels": list(LABELS),
        "window": {
            "width": WIDTH,
            "height": HEIGHT,
            "core": {"x": CORE_X, "y": CORE_Y, "width": CORE_WIDTH, "height": CORE_HEIGHT},
            "stride": STRIDE,
            "fill": FILL,
            "room": ROOM,
        },
        "scales": {"narrowest_core": NARROWEST_CORE, "ratio": RATIO},
        "thresholds": {"vmware": threshold},
        "training": training | {"deviations": DEVIATIONS, "versions": versions(PACKAGES)},
        "figures": figures,
        "size": size,
        "licence": LICENCE,
        "goldens": write_goldens(out, model, golden_pictures(artwork)),
        "notes": NOTES,
    }
    write_manifest(out, manifest)
    describe(out, manifest, model, cases(artwork))
    return manifest


def describe(out: Path, manifest: dict, model: ExportedWindows, windows: list[Case]) -> None:
    """Writes the card and failures.png: the windows of `robustness` that are classified wrongly."""
    scores = model.window_scores(np.stack([case.pixels for case in windows]))
    conditions: dict[str, dict] = {}
    wrong = []
    for case, score in zip(windows, scores, strict=True):
        row = conditions.setdefault(case.condition, {"logo": case.logo, "right": 0, "scores": []})
        right = (score >= TALK_THRESHOLD) == case.logo
        row["right"] += int(right)
        row["scores"].append(float(score))
        if not right:
            wrong.append(case.pixels)
    (out / "failures.png").unlink(missing_ok=True)
    if wrong:
        write_png(out / "failures.png", contact_sheet(wrong, SHEET_COLUMNS))
    write_card(out, Path(__file__).with_name("card.md.jinja"), manifest=manifest, conditions=conditions, wrong=len(wrong), windows=len(windows))
