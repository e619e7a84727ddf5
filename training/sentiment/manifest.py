"""The manifest of a model folder: what the daemon checks before it trusts the files beside it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .corpus import LABELS
from .goldens import GOLDEN_TEXTS
from .runtime import ExportedModel
from .tokenizer import PAD_ID, UNKNOWN_ID

PACKAGES = ["torch", "tokenizers", "onnx", "onnxruntime", "numpy", "gensim"]


def described(path: Path) -> dict:
    """Name, SHA-256 and size of a file."""
    content = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def versions() -> dict[str, str]:
    """Versions of the packages that took part; those that are not installed did not."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def goldens(model: ExportedModel, texts: list[str] = GOLDEN_TEXTS) -> list[dict]:
    """The golden texts with the probabilities of the exported file, each run alone."""
    rows = []
    for text in texts:
        values = model.run([model.ids(text)])[0]
        rows.append({"text": text, "probabilities": [round(float(value), 6) for value in values]})
    return rows


def write_manifest(
    folder: Path, max_tokens: int, training: dict, figures: dict, size: dict, model_version: str, notes: str,
    name: str = "sentiment", texts: list[str] = GOLDEN_TEXTS, languages: tuple[str, ...] = ("en",), begun: str = "", cpu: str = "2 cores",
) -> dict:
    """Describes `model.onnx` and `tokenizer.json` in `folder` and writes `manifest.json` beside them. `begun`: a sentence on
    what the weights began as, for the licence."""
    model_path, tokenizer_path = folder / "model.onnx", folder / "tokenizer.json"
    model = ExportedModel.from_files(model_path, tokenizer_path, PAD_ID, UNKNOWN_ID, max_tokens)
    numbers = ["lengths", "target_starts", "target_ends"] if model.takes_targets else ["lengths"]
    manifest = {
        "format": 1,
        "name": name,
        "version": model_version,
        "kind": "text-sentiment",
        "files": {"model": described(model_path), "tokenizer": described(tokenizer_path)},
        "inputs": [
            {"name": "input_ids", "type": "int64", "shape": ["batch", "tokens"]},
            *({"name": one, "type": "int64", "shape": ["batch"]} for one in numbers),
        ],
        "outputs": [{"name": "probabilities", "type": "float32", "shape": ["batch", len(LABELS)]}],
        "labels": LABELS,
        "pad_id": PAD_ID,
        "empty_id": UNKNOWN_ID,
        "max_tokens": max_tokens,
        "language": list(languages),
        "training": training
        | {"versions": {"python": platform.python_version()} | versions(), "cpu": cpu},
        "figures": figures,
        "size": size,
        "licence": (
            f"The weights come under the licence of the project. {begun}The corpora that they were trained on "
            "are not part of it and have terms of their own; see README.md."
        ),
        "goldens": goldens(model, texts),
        "notes": notes,
    }
    partial = folder / "manifest.json.partial"
    partial.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / "manifest.json")
    return manifest
