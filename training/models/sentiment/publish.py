"""Turns trained weights into the model folder: quantizes, calibrates, exports, checks, evaluates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...engine.figures import log_figures
from ...model_folder.onnx_export import save
from ...model_folder.onnx_file import ExportError, check_distance
from ...text import evaluation
from ...text.batches import encode
from ...text.corpora import Row
from ...text.exported import ExportedModel
from ...text.hold_outs import VALIDATION
from ...text.manifest import write_manifest
from ...text.network import SentimentNetwork
from ...text.network_export import build_model, rounded
from ...text.tokenizer import PAD_ID, UNKNOWN_ID
from ...text.training import Classifier, predict
from .card import write_card
from .goldens import GOLDEN_TEXTS

# Accepted difference of a probability between the exported file (8-bit activations) and PyTorch (32-bit). Observed: 0.0153.
TOLERANCE = 0.02


def measure(network: Classifier, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int) -> dict:
    """Macro-averaged recall in percent on every hold-out, from the PyTorch network, for monitoring the training."""
    result = {}
    for name, rows in held_out.items():
        logits = predict(network, encode(tokenizer, [row.text for row in rows], max_tokens, targets=[row.target for row in rows]))
        result[name] = round(evaluation.macro_recall(np.array([row.label for row in rows]), logits.argmax(axis=1)), 2)
    return result


def reporter(
    measured: torch.nn.Module, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int, work: Path
) -> Callable[[str, dict[str, torch.Tensor]], None]:
    """A callback for after every epoch: loads the weights into `measured`, evaluates it, and logs the metrics."""

    def report(when: str, weights: dict[str, torch.Tensor]) -> None:
        measured.load_state_dict(weights)
        line = f"{when}: {measure(measured, tokenizer, held_out, max_tokens)}"
        log_figures(work, line)

    return report


def fit_target_temperature(network: SentimentNetwork, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int) -> float:
    """The temperature for rows with a target, which need their own: labels towards a target make the network more
    confident. 1 if no hold-out has a target that its text contains."""
    rows = [row for rows in held_out.values() for row in rows if row.target]
    encoded = encode(tokenizer, [row.text for row in rows], max_tokens, targets=[row.target for row in rows])
    named = encoded.spans[:, 1] > 0
    if not named.any():
        return 1.0
    return evaluation.fit_temperature(predict(network, encoded)[named], np.array([row.label for row in rows])[named])


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
    accepted_loss: float,
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the exported file deviates from the
    trained network or quantization costs more than `accepted_loss`."""
    out.mkdir(parents=True, exist_ok=True)
    network.load_state_dict(weights)
    full = measure(network, tokenizer, {VALIDATION: held_out[VALIDATION]}, max_tokens)[VALIDATION]
    arrays = rounded({name: tensor.numpy() for name, tensor in weights.items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    validation = held_out[VALIDATION]
    encoded = encode(tokenizer, [row.text for row in validation], max_tokens)
    logits = predict(network, encoded)
    labels = np.array([row.label for row in validation])
    temperature = evaluation.fit_temperature(logits, labels)
    target_temperature = fit_target_temperature(network, tokenizer, held_out, max_tokens)
    save(build_model(arrays, temperature, target_temperature), out / "model.onnx")
    tokenizer.save(str(out / "tokenizer.json"))

    exported = ExportedModel.from_files(out / "model.onnx", out / "tokenizer.json", PAD_ID, UNKNOWN_ID, max_tokens)
    figures = {}
    for name, rows in held_out.items():
        probabilities = exported.probabilities([row.text for row in rows], targets=[row.target for row in rows])
        figures[name] = evaluation.figures(np.array([row.label for row in rows]), probabilities)
        if name == VALIDATION:
            distance = check_distance(evaluation.softmax(logits, temperature), probabilities, TOLERANCE)
            lost = round(full - figures[name]["macro_recall"], 2)
            if lost > accepted_loss:
                raise ExportError(f"8 bits cost {lost} points of macro-averaged recall on {name}; {accepted_loss} are accepted")
    architecture = network.architecture
    size = architecture.as_dict() | {
        "parameters": int(sum(array.size for name, array in arrays.items() if not name.startswith("source_output"))),
        "temperature": temperature,
        "target_temperature": target_temperature,
        "distance_from_pytorch": round(distance, 8),
        "lost_by_8_bits": lost,
    }
    manifest = write_manifest(out, max_tokens, training, figures, size, model_version, notes, "sentiment", GOLDEN_TEXTS)
    write_card(out, manifest)
    return manifest
