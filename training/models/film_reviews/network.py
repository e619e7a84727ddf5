"""The two networks: the talk's, and ours.

The talk's (Snowdon, "Neural networks across space & time"): frozen word vectors, one LSTM with peepholes as in Graves,
"Supervised Sequence Labelling with Recurrent Neural Networks" (2012), softmax of the last state.

Ours: trained word vectors of 300 values, one bidirectional LSTM, pooled by attention, maximum and mean as in
text/network.py. The LSTM's input also has the linear-model weights (ngrams.py) of the bigram and the trigram that end at
the word.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from ...text.network import initialise
from ...text.tokenizer import UNKNOWN_ID

GRAMS = 2  # extra inputs per word: bigram and trigram weight


@dataclass(frozen=True)
class Architecture:
    """Sizes in units; `hidden` is that of one direction."""

    vocabulary: int
    dimensions: int = 300
    hidden: int = 128
    attention: int = 64

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Dropout:
    """Dropout probabilities."""

    word: float = 0.05  # replaces whole tokens by the unknown token
    embedding: float = 0.3
    grams: float = 0.2  # zeroes all n-gram weights of a review
    features: float = 0.5


class FilmNetwork(nn.Module):
    """Our network: log-odds of "positive" [batch] for equally long reviews."""

    def __init__(self, architecture: Architecture, dropout: Dropout = Dropout()):
        super().__init__()
        self.architecture, self.dropout = architecture, dropout
        hidden = architecture.hidden
        self.embedding = nn.Embedding(architecture.vocabulary, architecture.dimensions, sparse=True)
        self.embedding_dropout = nn.Dropout(dropout.embedding)
        self.lstm = nn.LSTM(architecture.dimensions + GRAMS, hidden, batch_first=True, bidirectional=True)
        self.attention_hidden = nn.Linear(2 * hidden, architecture.attention)
        self.attention_score = nn.Linear(architecture.attention, 1, bias=False)
        self.feature_dropout = nn.Dropout(dropout.features)
        self.output = nn.Linear(6 * hidden, 1)
        initialise(self.lstm)

    def set_vectors(self, vectors: np.ndarray) -> None:
        """Initialises the word vectors, float32 [vocabulary, dimensions]."""
        with torch.no_grad():
            self.embedding.weight.copy_(torch.from_numpy(vectors))

    def words(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors [batch, tokens, dimensions] of ids [batch, tokens], with word dropout in training."""
        if self.training and self.dropout.word > 0:
            ids = ids.masked_fill(torch.rand(ids.shape) < self.dropout.word, UNKNOWN_ID)
        return self.embedding(ids)

    def judged(self, words: torch.Tensor, grams: torch.Tensor) -> torch.Tensor:
        """Log-odds [batch] from word vectors and the n-gram weights `grams` [batch, tokens, GRAMS]."""
        if self.training and self.dropout.grams > 0:
            grams = grams * (torch.rand(len(grams), 1, 1) >= self.dropout.grams)
        states, _ = self.lstm(torch.cat([self.embedding_dropout(words), grams], dim=2))
        scores = self.attention_score(torch.tanh(self.attention_hidden(states)))
        attended = (torch.softmax(scores, dim=1) * states).sum(dim=1)
        features = torch.cat([attended, states.amax(dim=1), states.mean(dim=1)], dim=1)
        return self.output(self.feature_dropout(features))[:, 0]

    def forward(self, ids: torch.Tensor, grams: torch.Tensor) -> torch.Tensor:
        return self.judged(self.words(ids), grams)

    def dense_parameters(self) -> list[nn.Parameter]:
        """All parameters but the word vectors, whose gradients are sparse."""
        return [parameter for name, parameter in self.named_parameters() if name != "embedding.weight"]

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """AdamW, and SparseAdam for the word vectors, so that a step updates only those of the batch."""
        return [
            torch.optim.AdamW(self.dense_parameters(), lr=learning_rate, weight_decay=1e-4),
            torch.optim.SparseAdam([self.embedding.weight], lr=learning_rate),
        ]


class TalkNetwork(nn.Module):
    """The talk's network: a unidirectional LSTM with peepholes; the last state is classified."""

    def __init__(self, vectors: np.ndarray, hidden: int = 256):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.from_numpy(vectors), freeze=True)
        self.inputs = nn.Linear(vectors.shape[1], 4 * hidden)
        self.recurrent = nn.Linear(hidden, 4 * hidden, bias=False)
        # From the cell to its input, forget and output gates. DL4J initialises all weights by Xavier's rule.
        self.peepholes = nn.Parameter(torch.zeros(3, hidden))
        self.output = nn.Linear(hidden, 1)
        for matrix in (self.inputs.weight, self.recurrent.weight, self.peepholes, self.output.weight):
            nn.init.xavier_uniform_(matrix)
        nn.init.zeros_(self.inputs.bias)
        self.inputs.bias.data[hidden : 2 * hidden] = 1.0
        nn.init.zeros_(self.output.bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Log-odds [batch] of equally long reviews, ids [batch, tokens]: the difference of the logits of a two-class softmax."""
        given = self.inputs(self.embedding(ids)).unbind(dim=1)
        state = cell = torch.zeros(len(ids), self.recurrent.in_features)
        to_input, to_forget, to_output = self.peepholes
        for step in given:
            into, forget, candidate, out = (step + self.recurrent(state)).chunk(4, dim=1)
            fresh = torch.sigmoid(into + to_input * cell) * torch.tanh(candidate)
            cell = torch.sigmoid(forget + to_forget * cell) * cell + fresh
            state = torch.sigmoid(out + to_output * cell) * torch.tanh(cell)
        return self.output(state)[:, 0]
