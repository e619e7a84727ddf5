"""Trains the talk's network with the talk's settings: Adam at 2e-2, L2 of 1e-5, gradients clipped elementwise at 1.

The talk leaves some settings open, which come from DL4J's example of the same network: batches of 64, and reviews truncated to
256 words. Differences: the frozen word vectors are our network's initial ones, since the 3,000,000 of word2vec are not part of
this project, and the tokens are word pieces.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ...engine.checkpoints import Checkpoint
from ...text.batches import Encoded, batches_of_one_length
from .network import TalkNetwork
from .reviews import Reviews
from .training import Windows

TALK = {"learning_rate": 2e-2, "weight_decay": 1e-5, "clip": 1.0, "batch_size": 64, "longest": 256}


def first_windows(encoded: Encoded, step: int) -> Windows:
    """The start of each review, at most TALK's `longest` tokens; lengths from `step` on are rounded down to multiples of it."""
    lengths = np.minimum(encoded.lengths(), int(TALK["longest"]))
    return Windows(encoded.starts[:-1], np.where(lengths >= step, lengths // step * step, lengths))


def train_talk(
    network: TalkNetwork, training: Reviews, validation: Reviews, work: Path, seed: int, epochs: int, log: Callable[[str], None]
) -> None:
    """Trains `network`; resumes after the last finished epoch in `work`."""
    optimizer = torch.optim.Adam(
        [parameter for parameter in network.parameters() if parameter.requires_grad], TALK["learning_rate"], weight_decay=TALK["weight_decay"]
    )
    checkpoint = Checkpoint(work / "talk.pt", network=network, optimizer=optimizer)
    values = checkpoint.load()
    done, seconds = values.get("done", 0), values.get("seconds", 0.0)
    windows = first_windows(training.encoded, 16)
    for epoch in range(done, epochs):
        started = time.monotonic()
        network.train()
        batches = list(windows.batches(int(TALK["batch_size"]), np.random.default_rng([seed, epoch])))
        for rows, places in tqdm(batches, desc=f"the talk's network, epoch {epoch + 1}", mininterval=10, unit="batch"):
            optimizer.zero_grad(set_to_none=True)
            odds = network(torch.from_numpy(training.encoded.ids[places].astype(np.int64)))
            functional.binary_cross_entropy_with_logits(odds, torch.from_numpy(training.positive[rows])).backward()
            torch.nn.utils.clip_grad_value_(network.parameters(), TALK["clip"])
            optimizer.step()
        seconds += time.monotonic() - started
        checkpoint.save(done=epoch + 1, seconds=seconds)
        right = np.mean((talk_odds(network, validation.encoded) > 0) == (validation.positive > 0))
        log(f"the talk's network, epoch {epoch + 1}/{epochs}, {seconds:.0f} s: validation {100 * right:.2f} %")


@torch.no_grad()
def talk_odds(network: TalkNetwork, encoded: Encoded) -> np.ndarray:
    """Log-odds of "positive", float32 [reviews], from the first tokens of each review."""
    network.eval()
    windows = first_windows(encoded, 1)
    odds = np.zeros(len(encoded), dtype=np.float32)
    for rows in batches_of_one_length(windows.lengths, np.arange(len(encoded)), 256, None):
        places = windows.starts[rows][:, None] + np.arange(windows.lengths[rows[0]])
        odds[rows] = network(torch.from_numpy(encoded.ids[places].astype(np.int64))).numpy()
    return odds
