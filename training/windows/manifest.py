"""The manifest of the model folder: what the daemon checks before it trusts the files beside it."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from ..logos.window import CORE_HEIGHT, CORE_WIDTH, CORE_X, CORE_Y, FILL, HEIGHT, ROOM, STRIDE, WIDTH
from .architecture import LABELS
from .pyramid import NARROWEST_CORE, RATIO
from .runtime import ExportedWindows

PACKAGES = ["torch", "onnx", "onnxruntime", "numpy", "opencv-python-headless", "pillow", "cairosvg"]
DEVIATIONS = [
    "Convolutions take no padding: a window is 102 x 50, the talk's 75 x 22 and the real context around it, so that the "
    "network can be run over whole pictures with the same scores. Dense layers are convolutions.",
    "A crop keeps its aspect: the core of 75 x 22 is fitted around a logo's box, which the talk stretched into it.",
    "The learning rate is lower (see `rate`; the first dense layer has a tenth, as in the talk), warms up and falls as a cosine.",
    "L1 1e-4 and L2 5e-4 act on the weights themselves, scaled by the rate, not through the renormalised gradient.",
    "Crops of logos are synthetic and drawn anew all the time; there are no epochs. False alarms on training pictures are added.",
    "The model is a moving average of the weights (over about 250 steps).",
    "Products are computed with 16-bit floats (bfloat16) in training. Weights are stored in 8 bits, the first dense layer in 4.",
]
NOTES = (
    "One brand, VMware's wordmark as used until 2023. It is here to show the talk's way; the detector is better and faster. "
    "Pixels are RGB, and what lies outside a picture is filled with the grey `window.fill`."
)


def described(path: Path, folder: Path) -> dict:
    """Path within the folder, SHA-256 and size of a file."""
    content = path.read_bytes()
    return {"path": path.relative_to(folder).as_posix(), "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def write_goldens(folder: Path, model: ExportedWindows, pictures: dict[str, np.ndarray]) -> list[dict]:
    """Saves the golden pictures as PNG and gives their maps of probabilities."""
    (folder / "goldens").mkdir(exist_ok=True)
    rows = []
    for name, pixels in pictures.items():
        path = folder / "goldens" / f"{name}.png"
        Image.fromarray(pixels).save(path, optimize=True)
        found = model.dense(pixels)
        rows.append(
            {
                "picture": path.relative_to(folder).as_posix(),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "width": pixels.shape[1],
                "height": pixels.shape[0],
                "probabilities": [[round(float(value), 6) for value in row] for row in found],
            }
        )
    return rows


def write_manifest(folder: Path, training: dict, figures: dict, size: dict, threshold: float, goldens: list[dict], model_version: str) -> dict:
    """Describes `model.onnx` in `folder` and writes `manifest.json` beside it."""
    manifest = {
        "format": 1,
        "name": "logo-windows",
        "version": model_version,
        "kind": "logo-windows",
        "files": {"model": described(folder / "model.onnx", folder)},
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
        "training": training
        | {
            "deviations": DEVIATIONS,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            "cpu": "2 shared cores",
        },
        "figures": figures,
        "size": size,
        "licence": (
            "The weights come under the licence of the project. The pictures that they were trained on are not part of it and "
            "have terms of their own; VMware's name and wordmark are trademarks of their owner. See README.md."
        ),
        "goldens": goldens,
        "notes": NOTES,
    }
    partial = folder / "manifest.json.partial"
    partial.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / "manifest.json")
    return manifest
