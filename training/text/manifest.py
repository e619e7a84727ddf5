"""The manifest of a text model's folder."""

from __future__ import annotations

from pathlib import Path

from ..model_folder import manifest as model_folder
from .corpora import LABELS
from .exported import ExportedModel
from .tokenizer import PAD_ID, UNKNOWN_ID

PACKAGES = ["torch", "tokenizers", "onnx", "onnxruntime", "numpy", "gensim"]


def goldens(model: ExportedModel, texts: list[str]) -> list[dict]:
    """The golden texts with the exported model's probabilities at batch size 1."""
    rows = []
    for text in texts:
        values = model.run([model.ids(text)])[0]
        rows.append({"text": text, "probabilities": [round(float(value), 6) for value in values]})
    return rows


def write_manifest(
    folder: Path, max_tokens: int, training: dict, figures: dict, size: dict, model_version: str, notes: str,
    name: str, texts: list[str], languages: tuple[str, ...] = ("en",), begun: str = "", cpu: str = "2 cores",
) -> dict:
    """Describes `model.onnx` and `tokenizer.json` in `folder` and writes `manifest.json` beside them. `begun`: a sentence
    on the origin of the initial weights, for the licence."""
    model_path, tokenizer_path = folder / "model.onnx", folder / "tokenizer.json"
    model = ExportedModel.from_files(model_path, tokenizer_path, PAD_ID, UNKNOWN_ID, max_tokens)
    numbers = ["lengths", "target_starts", "target_ends"] if model.takes_targets else ["lengths"]
    manifest = {
        "format": 1,
        "name": name,
        "version": model_version,
        "kind": "text-sentiment",
        "files": {"model": model_folder.described(model_path, folder), "tokenizer": model_folder.described(tokenizer_path, folder)},
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
        "training": training | {"versions": model_folder.versions(PACKAGES), "cpu": cpu},
        "figures": figures,
        "size": size,
        "licence": (
            f"The weights come under the licence of the project. {begun}The corpora that they were trained on "
            "are not part of it and have terms of their own; see README.md."
        ),
        "goldens": goldens(model, texts),
        "notes": notes,
    }
    model_folder.write_manifest(folder, manifest)
    return manifest
