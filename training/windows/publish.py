"""From trained weights to the files that ship: rounds, exports, checks, measures, describes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from ..scenes.artwork import Artwork
from .card import write_card
from .export import build_model, save_model
from .goldens import golden_pictures, probes
from .judging import JudgedCrop, confusion, figures
from .manifest import write_goldens, write_manifest
from .network import WindowNetwork, normalised
from .quantised import bits_of, quantised
from .runtime import ExportedWindows
from .searching import alarms_a_picture, chosen_threshold, searched
from .trainer import dense_scores

TOLERANCE = 1e-4
AS_IN_THE_TALK = 0.5  # the larger of two probabilities


class ExportError(Exception):
    """The exported model doesn't do what the trained one does."""


def publish(
    out: Path, network: WindowNetwork, data: Path, work: Path, sets: dict[str, list[JudgedCrop]], training: dict, most_searched: int, model_version: str
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the check fails."""
    out.mkdir(parents=True, exist_ok=True)
    stored = {name: quantised(layer.weight.detach().numpy(), bits_of(name)) for name, layer in network.layers().items()}
    biases = {name: layer.bias.detach().numpy() for name, layer in network.layers().items()}
    with torch.no_grad():
        for name, layer in network.layers().items():
            layer.weight.copy_(torch.from_numpy(stored[name].restored()))
    save_model(build_model(stored, biases), out / "model.onnx")
    model = ExportedWindows(out / "model.onnx")
    distance = _distance(network, model, sets["exact"])
    if not distance < TOLERANCE:
        raise ExportError(f"The exported model is {distance:.2g} away from the trained one")

    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    rows = searched(data, lambda pixels: dense_scores(network, pixels), most_searched, work / f"searched-{digest[:12]}.jsonl")
    threshold = chosen_threshold(rows)
    found = {name: (crops, model.windows(np.stack([crop.pixels for crop in crops]))) for name, crops in sets.items()}
    measured = {
        "crops": {
            name: {"at": {f"{at:g}": _figures(crops, scores, at) for at in sorted({AS_IN_THE_TALK, threshold})}}
            for name, (crops, scores) in found.items()
        },
        "conditions": _conditions(*found["jittered"], AS_IN_THE_TALK),
        "false_alarms_a_picture": {
            "pictures": len(rows),
            "computed": "with 16-bit products, all scales, after suppression of what overlaps",
            "at": {f"{at:g}": alarms_a_picture(rows, at) for at in (0.5, 0.9, 0.95, 0.98, 0.99, 0.995)},
        },
    }
    artwork = Artwork(data / "artwork")
    goldens = write_goldens(out, model, golden_pictures(artwork))
    size = {
        "parameters": int(sum(layer.values.size for layer in stored.values()) + sum(bias.size for bias in biases.values())),
        "bits": {name: layer.bits for name, layer in stored.items()},
        "distance_from_pytorch": float(f"{distance:.2g}"),
    }
    manifest = write_manifest(out, training, measured, size, threshold, goldens, model_version)
    write_card(out, manifest, model, probes(artwork))
    return manifest


def _distance(network: WindowNetwork, model: ExportedWindows, crops: list[JudgedCrop]) -> float:
    pixels = np.stack([crop.pixels for crop in crops[:96]])
    network.eval()
    with torch.no_grad():
        expected = network(normalised(torch.from_numpy(pixels))).flatten(1).softmax(1)[:, 1].numpy()
    return float(np.abs(expected - model.windows(pixels)).max())


def _figures(crops: list[JudgedCrop], scores: np.ndarray, threshold: float) -> dict:
    logo = np.array([crop.logo for crop in crops])
    counts = confusion(logo, scores >= threshold)
    if not logo.any():
        return {"others": len(crops), "taken_for_logos": counts[1][0]}
    return figures(counts)


def _conditions(crops: list[JudgedCrop], scores: np.ndarray, threshold: float) -> list[dict]:
    """Recall of logos by size and condition, exact windows and all."""
    logos = [(crop, score >= threshold) for crop, score in zip(crops, scores, strict=True) if crop.logo]
    conditions = {
        "photo": lambda crop: crop.photo,
        "screenshot": lambda crop: not crop.photo,
        "difficult or truncated": lambda crop: crop.difficult,
        "neither difficult nor truncated": lambda crop: not crop.difficult,
        "narrower than 60 pixels": lambda crop: crop.width < 60,
        "60 to 99 pixels": lambda crop: 60 <= crop.width < 100,
        "100 pixels and wider": lambda crop: crop.width >= 100,
    }
    rows = []
    for name, holds in conditions.items():
        of_condition = [(crop.exact, found) for crop, found in logos if holds(crop)]
        exact = [found for is_exact, found in of_condition if is_exact]
        rows.append(
            {
                "condition": name,
                "boxes": len(exact),
                "recall_exact": round(sum(exact) / max(1, len(exact)), 3),
                "recall_jittered": round(sum(found for _, found in of_condition) / max(1, len(of_condition)), 3),
            }
        )
    return rows
