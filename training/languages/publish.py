"""From trained weights to the model folder: rounds, calibrates, exports, checks, measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from training.sentiment import evaluation
from training.sentiment.batches import encode
from training.sentiment.export import rounded, save_model
from training.sentiment.manifest import write_manifest
from training.sentiment.network import SentimentNetwork
from training.sentiment.publish import ExportError
from training.sentiment.runtime import ExportedModel
from training.sentiment.tokenizer import PAD_ID, UNKNOWN_ID
from training.sentiment.trainer import predict

from .card import write_card
from .corpus import CODES, Text, Texts
from .export import build_untargeted
from .figures import language_figures, macro_f1
from .goldens import GOLDEN_TEXTS

MAX_TOKENS = 256
# The exported file counts activations in 8 bits, PyTorch in 32: how far that may move a probability. (0.025 was seen.)
TOLERANCE = 0.03
# What 8 bits may cost of the mean of macro-averaged F1 on the choosing texts, in points.
ACCEPTED_LOSS = 0.5
NOTES = (
    "Posts in Arabic, French, German, Hindi (mostly in Latin letters), Italian, Portuguese and Spanish, judged as a whole: "
    "a target is not taken. Irony and, most of all, Hindi are weak."
)
BEGUN = "Their word vectors began as those of multilingual-e5-small (MIT). "


def publish(
    out: Path, network: SentimentNetwork, weights: dict[str, torch.Tensor], tokenizer: Tokenizer, texts: Texts, training: dict, version: str
) -> dict:
    """Writes the model folder and returns its manifest; raises ExportError if the file strays from the network."""
    out.mkdir(parents=True, exist_ok=True)
    choosing = encode(tokenizer, [text.text for text in texts.choosing], MAX_TOKENS)
    network.load_state_dict(weights)
    full = language_figures(texts.choosing, predict(network, choosing).argmax(axis=1))["mean"]
    arrays = rounded({name: tensor.numpy() for name, tensor in weights.items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    logits = predict(network, choosing)
    temperature = evaluation.fit_temperature(logits, np.array([text.label for text in texts.choosing]))
    save_model(build_untargeted(arrays, temperature), out / "model.onnx")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)

    exported = ExportedModel.from_files(out / "model.onnx", out / "tokenizer.json", PAD_ID, UNKNOWN_ID, MAX_TOKENS)
    found = exported.probabilities([text.text for text in texts.choosing])
    distance = float(np.abs(found - evaluation.softmax(logits, temperature)).max())
    if not distance < TOLERANCE:
        raise ExportError(f"The exported model is {distance:.2g} away from the trained one")
    lost = round(full - language_figures(texts.choosing, found.argmax(axis=1))["mean"], 2)
    if lost > ACCEPTED_LOSS:
        raise ExportError(f"8 bits cost {lost} points of macro-averaged F1; {ACCEPTED_LOSS} are accepted")
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
    """As the English model's, and macro-averaged F1: over the rows, and the mean over the languages if there are several."""
    found = evaluation.figures(np.array([text.label for text in texts]), probabilities)
    found["macro_f1"] = round(macro_f1(np.array(found["confusion"])), 2)
    if len({text.language for text in texts}) > 1:
        found["mean_macro_f1"] = language_figures(texts, probabilities.argmax(axis=1))["mean"]
    return found
