"""Turns trained weights into the model folder: quantizes, calibrates, exports, checks, evaluates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...model_folder.onnx_export import save
from ...model_folder.onnx_file import ExportError, check_distance
from ...text import evaluation
from ...text.batches import encode
from ...text.exported import ExportedModel
from ...text.manifest import write_manifest
from ...text.network import SentimentNetwork
from ...text.network_export import rounded
from ...text.tokenizer import PAD_ID, UNKNOWN_ID
from ...text.training import predict
from .card import write_card
from .corpus import CODES, Text, Texts
from .export import build_untargeted
from .goldens import GOLDEN_TEXTS
from .metrics import language_figures, macro_f1

MAX_TOKENS = 256
# Accepted difference of a probability between the exported file (8-bit activations) and PyTorch (32-bit). Observed: 0.025.
TOLERANCE = 0.03
NOTES = (
    "Posts in Arabic, French, German, Hindi (mostly in Latin letters), Italian, Portuguese and Spanish, judged as a whole: "
    "a target is not taken. Irony and, most of all, Hindi are weak."
)
BEGUN = "Their word vectors began as those of multilingual-e5-small (MIT). "


def publish(
    out: Path, network: SentimentNetwork, weights: dict[str, torch.Tensor], tokenizer: Tokenizer, texts: Texts, training: dict, version: str,
    accepted_loss: float,
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the exported file deviates from the
    trained network or quantization costs more than `accepted_loss`."""
    out.mkdir(parents=True, exist_ok=True)
    choosing = encode(tokenizer, [text.text for text in texts.choosing], MAX_TOKENS)
    network.load_state_dict(weights)
    full = language_figures(texts.choosing, predict(network, choosing).argmax(axis=1))["mean"]
    arrays = rounded({name: tensor.numpy() for name, tensor in weights.items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    logits = predict(network, choosing)
    temperature = evaluation.fit_temperature(logits, np.array([text.label for text in texts.choosing]))
    save(build_untargeted(arrays, temperature), out / "model.onnx")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)

    exported = ExportedModel.from_files(out / "model.onnx", out / "tokenizer.json", PAD_ID, UNKNOWN_ID, MAX_TOKENS)
    found = exported.probabilities([text.text for text in texts.choosing])
    distance = check_distance(evaluation.softmax(logits, temperature), found, TOLERANCE)
    lost = round(full - language_figures(texts.choosing, found.argmax(axis=1))["mean"], 2)
    if lost > accepted_loss:
        raise ExportError(f"8 bits cost {lost} points of macro-averaged F1; {accepted_loss} are accepted")
    judged = exported.probabilities([text.text for text in texts.held_out])
    figures = {"choosing": _figures(texts.choosing, found), "held_out": _figures(texts.held_out, judged)}
    for code in sorted(CODES.values()):
        inside = [index for index, text in enumerate(texts.held_out) if text.language == code]
        figures[f"held_out_{code}"] = _figures([texts.held_out[index] for index in inside], judged[inside])
    size = network.architecture.as_dict() | {
        "parameters": int(sum(array.size for array in arrays.values())),
        "temperature": temperature,
        "distance_from_pytorch": round(distance, 8),
        "lost_by_8_bits": lost,
    }
    manifest = write_manifest(
        out, MAX_TOKENS, training, figures, size, version, NOTES, name="languages", texts=GOLDEN_TEXTS,
        languages=tuple(sorted(CODES.values())), begun=BEGUN, cpu="1 core of 2",
    )
    write_card(out, manifest)
    return manifest


def _figures(texts: list[Text], probabilities: np.ndarray) -> dict:
    """The English model's metrics plus macro-averaged F1 over all rows and, if there are several languages, their mean."""
    found = evaluation.figures(np.array([text.label for text in texts]), probabilities)
    found["macro_f1"] = round(macro_f1(np.array([text.label for text in texts]), probabilities.argmax(axis=1)), 2)
    if len({text.language for text in texts}) > 1:
        found["mean_macro_f1"] = language_figures(texts, probabilities.argmax(axis=1))["mean"]
    return found
