"""From trained weights to the files that ship: rounds, calibrates, exports, checks, measures."""

from __future__ import annotations

from collections.abc import Callable
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

# The exported file counts activations in 8 bits, PyTorch in 32: how far that may move a probability. (0.0153 was seen.)
TOLERANCE = 0.02
# What 8 bits, in weights and activations, may cost of the macro-averaged recall on the validation set, in points.
ACCEPTED_LOSS = 0.3


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


def reporter(
    judge: SentimentNetwork, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int, work: Path
) -> Callable[[str, dict[str, torch.Tensor]], None]:
    """What a trainer calls after every epoch: `judge` takes the weights, and its figures are printed and kept in figures.log."""

    def report(when: str, weights: dict[str, torch.Tensor]) -> None:
        judge.load_state_dict(weights)
        line = f"{when}: {measure(judge, tokenizer, held_out, max_tokens)}"
        print(line, flush=True)
        with (work / "figures.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    return report


def fit_target_temperature(network: SentimentNetwork, tokenizer: Tokenizer, held_out: dict[str, list[Row]], max_tokens: int) -> float:
    """The temperature of rows with a target: labels towards one make the network surer than labels of whole texts.
    1 where no hold-out has a target that its text names."""
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
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the check fails."""
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
    save_model(build_model(arrays, temperature, target_temperature), out / "model.onnx")
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
            lost = round(full - figures[name]["macro_recall"], 2)
            if lost > ACCEPTED_LOSS:
                raise ExportError(f"8 bits cost {lost} points of macro-averaged recall on {name}; {ACCEPTED_LOSS} are accepted")
    architecture = network.architecture
    size = architecture.as_dict() | {
        "parameters": int(sum(array.size for name, array in arrays.items() if not name.startswith("source_output"))),
        "temperature": temperature,
        "target_temperature": target_temperature,
        "distance_from_pytorch": round(distance, 8),
        "lost_by_8_bits": lost,
    }
    manifest = write_manifest(out, max_tokens, training, figures, size, model_version, notes)
    write_card(out, manifest)
    return manifest
