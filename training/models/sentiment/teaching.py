"""Trains teachers and labels the pool with them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm

from ...engine.precision import mixed_precision
from ...text.batches import encode
from ...text.evaluation import softmax
from ...text.hold_outs import Split
from ...text.mixture import Phase, build_mixture
from ...text.training import Classifier, Trainer, predict
from .encoders import Weights
from .publish import reporter
from .teacher_network import Teacher, encoder_config, teacher_tokenizer

MAX_TOKENS = 96
TRAINED = "weights.pt"
CHUNK = 20_000  # texts per saved file of labels


def train_teacher(folder: Path, pretrained: Weights, split: Split, phases: tuple[Phase, ...], seed: int) -> None:
    """Fine-tunes a teacher from an encoder's weights and saves it in `folder`; a killed run resumes."""
    tokenizer = teacher_tokenizer()
    corpora = sorted({name for phase in phases for name in phase.shares})
    mixture = build_mixture({name: split.training[name] for name in corpora}, tokenizer, MAX_TOKENS, seed)
    torch.manual_seed(seed)
    config = encoder_config(pretrained)
    teacher, measured = (Teacher(config, len(mixture.sources)) for _ in range(2))
    teacher.load_pretrained(pretrained)
    report = reporter(measured, tokenizer, split.held_out, MAX_TOKENS, folder)
    weights = Trainer(teacher, mixture, folder, seed, report).run(phases)
    torch.save(weights, folder / TRAINED)


def trained_teacher(folder: Path) -> Teacher:
    """Loads the teacher that `train_teacher` saved, without its per-corpus corrections."""
    weights = {name: tensor for name, tensor in torch.load(folder / TRAINED, weights_only=True).items() if not name.startswith("source_output")}
    inside = {name.removeprefix("encoder."): tensor for name, tensor in weights.items() if name.startswith("encoder.")}
    teacher = Teacher(encoder_config(inside), 1)
    teacher.load_state_dict(weights)
    return teacher


def label(folder: Path, teacher: Classifier, tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """Probabilities float32 [texts, 3] of a teacher. Each chunk is saved in `folder` under the hash of
    its texts, so a killed run resumes and a changed pool is relabelled."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for at in tqdm(range(0, len(texts), CHUNK), desc=f"labels of {folder.name}", unit="chunk", mininterval=10):
        chunk = texts[at : at + CHUNK]
        path = folder / f"{hashlib.sha256(chr(0).join(chunk).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            with mixed_precision():
                labels = softmax(predict(teacher, encode(tokenizer, chunk, MAX_TOKENS))).astype(np.float32)
            partial = path.with_suffix(".partial.npy")
            np.save(partial, labels)
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)


def averaged(all_labels: list[np.ndarray]) -> np.ndarray:
    """The normalised geometric mean of several teachers' probabilities, float32 [texts, 3]."""
    mean = np.mean([np.log(labels + 1e-8) for labels in all_labels], axis=0)
    return softmax(mean).astype(np.float32)
