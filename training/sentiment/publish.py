"""From trained weights to the files that ship: rounds, calibrates, exports, checks, measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from . import evaluation
from .batches import encode
from .card import write_card
from .corpus import Row
from .export import build_model, rounded, save_model
from .manifest import write_manifest
from .network import SentimentNetwork
from .runtime import ExportedModel
from .splits import VALIDATION
from .tokenizer import PAD_ID, UNKNOWN_ID
from .trainer import Classifier, predict

# Activations of 8 bits in the exported file: how far that may move a probability.
TOLERANCE = 0.06


class ExportError(Exception):
    """The exported model doesn't do what the trained one does."""


def measure(network: Classifier, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int) -> dict:
    """Macro-averaged recall of every hold-out, from the PyTorch network: for choosing while training."""
    result = {}
    for name, rows in held_out.items():
        logits = predict(network, encode(tokenizer, [row.text for row in rows], max_tokens, targets=[row.target for row in rows]))
        counts = evaluation.confusion(np.array([row.label for row in rows]), logits.argmax(axis=1))
        result[name] = round(evaluation.macro_recall(counts), 2)
    return result


def publish(
    out: Path,
    network: SentimentNetwork,
    weights: dict[str, torch.Tensor],
    tokenizer: Tokenizer,
    held_out: dict[str, list[Row]],
    max_tokens: int,
    training: dict,
    model_version: str,
    notes: str,
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the check fails."""
    out.mkdir(parents=True, exist_ok=True)
    arrays = rounded({name: tensor.numpy() for name, tensor in weights.items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    validation = held_out[VALIDATION]
    encoded = encode(tokenizer, [row.text for row in validation], max_tokens)
    logits = predict(network, encoded)
    labels = np.array([row.label for row in validation])
    temperature = evaluation.fit_temperature(logits, labels)
    save_model(build_model(arrays, temperature), out / "model.onnx")
    tokenizer.save(str(out / "tokenizer.json"))

    exported = ExportedModel.from_files(out / "model.onnx", out / "tokenizer.json", PAD_ID, UNKNOWN_ID, max_tokens)
    figures = {}
    for name, rows in held_out.items():
        probabilities = exported.probabilities([row.text for row in rows], targets=[row.target for row in rows])
        figures[name] = evaluation.figures(np.array([row.label for row in rows]), probabilities)
        if name == VALIDATION:
            distance = float(np.abs(probabilities - evaluation.softmax(logits, temperature)).max())
            if not distance < TOLERANCE:
                raise ExportError(f"The exported model is {distance:.2g} away from the trained one")
    architecture = network.architecture
    size = architecture.as_dict() | {
        "parameters": int(sum(array.size for name, array in arrays.items() if not name.startswith("source_output"))),
        "temperature": temperature,
        "distance_from_pytorch": round(distance, 8),
    }
    manifest = write_manifest(out, max_tokens, training, figures, size, model_version, notes)
    write_card(out, manifest)
    return manifest
