"""Trains teachers and lets them label the pool; every result stays in the work folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm

from training.sentiment.batches import encode
from training.sentiment.evaluation import softmax
from training.sentiment.mixture import Stage, build_mixture
from training.sentiment.publish import measure
from training.sentiment.splits import Split
from training.sentiment.trainer import Classifier, Trainer, predict

from .encoder import Teacher, layers_of, teacher_tokenizer
from .pretrained import TeacherError, encoder_layers, encoder_weights

MAX_TOKENS = 96
CHUNK = 20_000  # texts that are labelled between two savings
# Rates after the first try that design notes record: 8e-5 with warm-up and linear decay, batches of 32.
TEACHER_STAGES = [
    Stage(
        "teacher-mix",
        1,
        1e-4,
        5e-5,
        {
            "semeval": 1.0,
            "semeval_topic": 0.5,
            "tse": 0.6,
            "brand_entity": 0.6,
            "goemotions": 0.2,
            "software_engineering": 0.4,
            "sst5": 0.4,
            "reviews": 0.3,
        },
        batch_size=32,
        warm_up=0.1,
    ),
]


def teacher_corpora() -> list[str]:
    """The labelled corpora that a teacher trains on."""
    return sorted({name for stage in TEACHER_STAGES for name in stage.shares})


def train_teacher(work: Path, split: Split, seed: int, bfloat16: bool, encoder: Path | None = None) -> tuple[Teacher, Tokenizer]:
    """A teacher fine-tuned with the given seed from MiniLM or the encoder in an ONNX file; resumes in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = teacher_tokenizer()
    mixture = build_mixture({name: split.training[name] for name in teacher_corpora()}, tokenizer, MAX_TOKENS, seed)
    torch.manual_seed(seed)
    pretrained = encoder_weights(encoder)
    teacher, judge = (Teacher(len(mixture.sources), encoder_layers(pretrained)) for _ in range(2))
    teacher.load_pretrained(pretrained)

    def report(when: str, weights: dict[str, torch.Tensor]) -> None:
        judge.load_state_dict(weights)
        line = f"{when}: {measure(judge, tokenizer, split.held_out, MAX_TOKENS)}"
        print(line, flush=True)
        with (work / "figures.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    trainer = Trainer(teacher, mixture, work, seed, report, bfloat16)
    trainer.resume()
    judge.load_state_dict(trainer.run(TEACHER_STAGES))
    return judge, tokenizer


def trained_teacher(folder: Path) -> Teacher:
    """The teacher that `train_teacher` left in its folder, without its corrections for single corpora."""
    if not (checkpoint := folder / "checkpoint.pt").is_file():
        raise TeacherError(f"{folder} holds no teacher: train one with python -m training.distillation.teacher --work {folder}")
    weights = torch.load(checkpoint, weights_only=True)["average"]
    teacher = Teacher(1, layers_of(weights))
    teacher.load_state_dict({name: tensor for name, tensor in weights.items() if not name.startswith("source_output")})
    return teacher


def label_pool(folder: Path, teacher: Classifier, tokenizer: Tokenizer, texts: list[str], bfloat16: bool) -> np.ndarray:
    """Probabilities float32 [texts, 3] of a teacher. Each chunk is kept in `folder` under the hash of
    its texts, so a killed run goes on where it was and a changed pool is labelled anew."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for at in tqdm(range(0, len(texts), CHUNK), desc=f"labels of {folder.name}", unit="chunk", mininterval=10):
        chunk = texts[at : at + CHUNK]
        path = folder / f"{hashlib.sha256(chr(0).join(chunk).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                labels = softmax(predict(teacher, encode(tokenizer, chunk, MAX_TOKENS))).astype(np.float32)
            partial = path.with_suffix(".partial.npy")
            np.save(partial, labels)
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)


def averaged(all_labels: list[np.ndarray]) -> np.ndarray:
    """One opinion float32 [texts, 3] of several teachers: the normalised geometric mean."""
    mean = np.mean([np.log(labels + 1e-8) for labels in all_labels], axis=0)
    return softmax(mean).astype(np.float32)
