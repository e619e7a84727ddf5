"""Turns trained weights into the model folder: quantizes, calibrates, exports, checks, evaluates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...model_folder.onnx_export import save
from ...model_folder.onnx_file import ExportError, check_distance
from ...text import evaluation
from ...text.corpora import Row
from ...text.exported import ExportedModel
from ...text.manifest import write_manifest
from ...text.tokenizer import PAD_ID, UNKNOWN_ID
from .card import write_card
from .export import build_model, rounded
from .goldens import GOLDEN_TEXTS
from .network import FilmNetwork
from .ngrams import Grams, Table
from .reviews import MAX_TOKENS, encoded_reviews
from .training import log_odds

VALIDATION = "validation"
# The graph computes in 32 bits with PyTorch's rounded weights; only the order of summation differs.
TOLERANCE = 1e-3
MOST_BYTES = 8_000_000


def probabilities(odds: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of negative, neutral (always 0) and positive, float64 [reviews, 3], of log-odds [reviews]."""
    positive = 1 / (1 + np.exp(-odds.astype(np.float64) / temperature))
    return np.stack([1 - positive, np.zeros_like(positive), positive], axis=1)


def publish(
    out: Path, network: FilmNetwork, weights: dict[str, torch.Tensor], tables: tuple[Table, Table], tokenizer: Tokenizer,
    sets: dict[str, list[Row]], talk: Callable[[str, list[Row]], np.ndarray] | None, training: dict, model_version: str, notes: str,
) -> dict:
    """Writes the model folder and returns its manifest. `sets` are evaluated; "validation" also sets the temperature.
    `talk` gives the log-odds [reviews] of the talk's network for a named set. Raises ExportError if the exported file deviates
    from the trained network or is larger than MOST_BYTES."""
    out.mkdir(parents=True, exist_ok=True)
    arrays = rounded({name: tensor.numpy() for name, tensor in weights.items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    grams = Grams(tables, np.zeros((0, 2), np.float32), np.zeros(0, np.float32))
    validation = encoded_reviews(sets[VALIDATION], tokenizer)
    odds = log_odds(network, validation.encoded, grams.read(validation.encoded, tokenizer.get_vocab_size()))
    logits = np.stack([np.zeros_like(odds), odds], axis=1)
    temperature = evaluation.fit_temperature(logits, validation.positive.astype(np.int64))
    save(build_model(arrays, tables, temperature), out / "model.onnx")
    if (size := (out / "model.onnx").stat().st_size) > MOST_BYTES:
        raise ExportError(f"The exported model has {size} bytes, and {MOST_BYTES} are allowed")
    tokenizer.save(str(out / "tokenizer.json"))

    exported = ExportedModel.from_files(out / "model.onnx", out / "tokenizer.json", PAD_ID, UNKNOWN_ID, MAX_TOKENS)
    figures, distance = {}, 0.0
    for name, rows in sets.items():
        labels = np.array([row.label for row in rows])
        found = exported.probabilities([row.text for row in rows], batch_size=64)
        figures[name] = evaluation.figures(labels, found)
        if name == VALIDATION:
            distance = check_distance(probabilities(odds, temperature), found, TOLERANCE)
        if talk is not None:
            figures[f"{name}, the talk's network"] = evaluation.figures(labels, probabilities(talk(name, rows)))
    size_of = network.architecture.as_dict() | {
        "parameters": int(sum(array.size for array in arrays.values())),
        "weights_of_pairs_and_triples": int(sum((table.weights != 0).sum() for table in tables)),
        "temperature": temperature,
        "distance_from_pytorch": round(distance, 8),
    }
    manifest = write_manifest(
        out, MAX_TOKENS, training, figures, size_of, model_version, notes, name="film-reviews", texts=GOLDEN_TEXTS
    )
    write_card(out, manifest)
    return manifest
