"""The network: word-piece vectors, a two-layer bidirectional LSTM, three poolings, softmax.

Pooling: attention after Yang et al., "Hierarchical Attention Networks for Document Classification"
(NAACL 2016), joined with the maximum and the mean over the tokens, as in Howard and Ruder, ULMFiT
(ACL 2018). `export` writes the same arithmetic as an ONNX graph.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network, in units; `hidden` counts one direction of one layer."""

    vocabulary: int
    dimensions: int = 200
    hidden: int = 200
    attention: int = 100
    classes: int = 3

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Dropout:
    """Shares that are dropped while training."""

    word: float = 0.05  # whole tokens, replaced by the unknown token
    embedding: float = 0.3
    between_layers: float = 0.3
    features: float = 0.5


class SentimentNetwork(nn.Module):
    """Scores of the classes for batches of equally long texts.

    Input: token ids [batch, tokens], without padding (see `batches`). Output: logits [batch, 3].
    """

    def __init__(self, architecture: Architecture, dropout: Dropout = Dropout(), sources: int = 1, unknown_id: int = 1):
        super().__init__()
        self.architecture, self.unknown_id, self.word_dropout = architecture, unknown_id, dropout.word
        hidden = architecture.hidden
        self.embedding = nn.Embedding(architecture.vocabulary, architecture.dimensions, sparse=True)
        self.embedding_dropout = nn.Dropout(dropout.embedding)
        self.layer_1 = nn.LSTM(architecture.dimensions, hidden, batch_first=True, bidirectional=True)
        self.layer_dropout = nn.Dropout(dropout.between_layers)
        self.layer_2 = nn.LSTM(2 * hidden, hidden, batch_first=True, bidirectional=True)
        self.attention_hidden = nn.Linear(2 * hidden, architecture.attention)
        self.attention_score = nn.Linear(architecture.attention, 1, bias=False)
        self.feature_dropout = nn.Dropout(dropout.features)
        self.output = nn.Linear(6 * hidden, architecture.classes)
        # Corpora draw the border of "neutral" in different places. Each has its own correction of
        # the output layer; source 0 has none, and only the uncorrected layer is exported.
        self.source_output = nn.ModuleList(nn.Linear(6 * hidden, architecture.classes) for _ in range(sources - 1))
        for layer in self.source_output:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for lstm in (self.layer_1, self.layer_2):
            _initialise(lstm)

    def set_vectors(self, vectors: np.ndarray) -> None:
        """Starts from word vectors [vocabulary, dimensions] float32."""
        with torch.no_grad():
            self.embedding.weight.copy_(torch.from_numpy(vectors))

    def features(self, ids: torch.Tensor) -> torch.Tensor:
        """What the poolings hold [batch, 6 * hidden]: attention, maximum, mean."""
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(ids.shape) < self.word_dropout
            ids = ids.masked_fill(dropped, self.unknown_id)
        states, _ = self.layer_1(self.embedding_dropout(self.embedding(ids)))
        states, _ = self.layer_2(self.layer_dropout(states))
        scores = self.attention_score(torch.tanh(self.attention_hidden(states)))
        attended = (torch.softmax(scores, dim=1) * states).sum(dim=1)
        return torch.cat([attended, states.amax(dim=1), states.mean(dim=1)], dim=1)

    def forward(self, ids: torch.Tensor, sources: torch.Tensor | None = None) -> torch.Tensor:
        """`sources` [batch]: the corpus of each row; without it the exported output layer alone."""
        features = self.feature_dropout(self.features(ids))
        logits = self.output(features)
        if sources is None or not self.source_output:
            return logits
        corrections = torch.stack([torch.zeros_like(logits)] + [layer(features) for layer in self.source_output], dim=1)
        return logits + corrections[torch.arange(len(ids)), sources]


    def dense_parameters(self) -> list[nn.Parameter]:
        """All parameters but the word vectors, whose gradients are sparse."""
        return [parameter for name, parameter in self.named_parameters() if name != "embedding.weight"]

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """A step then touches only the vectors of the words that a batch holds."""
        return [
            torch.optim.AdamW(self.dense_parameters(), lr=learning_rate, weight_decay=1e-4),
            torch.optim.SparseAdam([self.embedding.weight], lr=learning_rate),
        ]


def _initialise(lstm: nn.LSTM) -> None:
    """Orthogonal recurrent weights, and forget gates that start open (Jozefowicz et al., 2015)."""
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if "weight_hh" in name:
            for gate in parameter.data.chunk(4):
                nn.init.orthogonal_(gate)
        elif "weight_ih" in name:
            nn.init.xavier_uniform_(parameter.data)
        else:
            nn.init.zeros_(parameter.data)
            if "bias_ih" in name:
                parameter.data[hidden : 2 * hidden] = 1.0
