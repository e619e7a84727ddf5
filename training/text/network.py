"""The network: word-piece embeddings, a two-layer bidirectional LSTM, pooling, softmax.

Pooling: attention after Yang et al., "Hierarchical Attention Networks for Document Classification"
(NAACL 2016), concatenated with max and mean pooling over the tokens, as in Howard and Ruder, ULMFiT
(ACL 2018). network_export.py builds the same network as an ONNX graph.

Targets enter in three ways: an embedding of the distance from the target is added to each token's vector,
like the position embeddings of Zeng et al., "Relation Classification via Convolutional Deep Neural Network"
(COLING 2014); the target conditions the attention, as in Wang et al., "Attention-based LSTM for Aspect-level
Sentiment Classification" (EMNLP 2016); and the mean of the target's states is a fourth pooling. Without a
target all three are zero.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

# Lower bounds, in tokens, of the distance buckets on each side of the target.
STEPS = (1, 2, 3, 4, 5, 7, 10, 15)
# Distance ids: no target, inside it, the buckets before it, the buckets after it.
DISTANCES = 2 + 2 * len(STEPS)


def step_of(distance: int) -> int:
    """Bucket of a distance of at least one token, from 0."""
    return sum(distance >= step for step in STEPS) - 1


# Offsets of the distance ids by distance in tokens before and after the target (0: not on that side).
BEFORE = np.array([0] + [1 + step_of(distance) for distance in range(1, STEPS[-1] + 1)], dtype=np.int64)
BEHIND = np.array([0] + [1 + len(STEPS) + step_of(distance) for distance in range(1, STEPS[-1] + 1)], dtype=np.int64)


def distances(tokens: int, spans: torch.Tensor) -> torch.Tensor:
    """Distance id of each token, below DISTANCES [batch, tokens]; `spans` [batch, 2]."""
    positions = torch.arange(tokens)
    before = (spans[:, :1] - positions).clamp(0, STEPS[-1])
    behind = (positions - spans[:, 1:] + 1).clamp(0, STEPS[-1])
    number = 1 + torch.from_numpy(BEFORE)[before] + torch.from_numpy(BEHIND)[behind]
    return number * (spans[:, 1:] > spans[:, :1])


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network, in units; `hidden` is that of one direction of one layer."""

    vocabulary: int
    dimensions: int = 200
    hidden: int = 200
    attention: int = 100
    classes: int = 3

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Dropout:
    """Dropout probabilities."""

    word: float = 0.05  # replaces whole tokens by the unknown token
    embedding: float = 0.3
    between_layers: float = 0.3
    features: float = 0.5


class SentimentNetwork(nn.Module):
    """The sentiment classifier.

    Input: token ids [batch, tokens], without padding (see batches.py), and the targets' token spans [batch, 2],
    half-open, (0, 0) for none. Output: logits [batch, 3].
    """

    def __init__(self, architecture: Architecture, dropout: Dropout = Dropout(), sources: int = 1, unknown_id: int = 1):
        super().__init__()
        self.architecture, self.unknown_id, self.word_dropout = architecture, unknown_id, dropout.word
        hidden = architecture.hidden
        self.embedding = nn.Embedding(architecture.vocabulary, architecture.dimensions, sparse=True)
        self.distance = nn.Embedding(DISTANCES, architecture.dimensions, padding_idx=0)
        nn.init.zeros_(self.distance.weight)
        self.embedding_dropout = nn.Dropout(dropout.embedding)
        self.layer_1 = nn.LSTM(architecture.dimensions, hidden, batch_first=True, bidirectional=True)
        self.layer_dropout = nn.Dropout(dropout.between_layers)
        self.layer_2 = nn.LSTM(2 * hidden, hidden, batch_first=True, bidirectional=True)
        self.attention_hidden = nn.Linear(2 * hidden, architecture.attention)
        self.attention_target = nn.Linear(2 * hidden, architecture.attention, bias=False)
        nn.init.zeros_(self.attention_target.weight)
        self.attention_score = nn.Linear(architecture.attention, 1, bias=False)
        self.feature_dropout = nn.Dropout(dropout.features)
        self.output = nn.Linear(8 * hidden, architecture.classes)
        # Corpora define "neutral" differently. Each has its own correction of the output layer;
        # source 0 has none, and only the uncorrected layer is exported.
        self.source_output = nn.ModuleList(nn.Linear(8 * hidden, architecture.classes) for _ in range(sources - 1))
        for layer in self.source_output:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for lstm in (self.layer_1, self.layer_2):
            initialise(lstm)

    def set_vectors(self, vectors: np.ndarray) -> None:
        """Initialises the word vectors, float32 [vocabulary, dimensions]."""
        with torch.no_grad():
            self.embedding.weight.copy_(torch.from_numpy(vectors))

    def features(self, ids: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """Pooled features [batch, 8 * hidden]: attention, maximum, mean, mean over the target."""
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(ids.shape) < self.word_dropout
            ids = ids.masked_fill(dropped, self.unknown_id)
        distance = distances(ids.shape[1], spans)
        states, _ = self.layer_1(self.embedding_dropout(self.embedding(ids) + self.distance(distance)))
        states, _ = self.layer_2(self.layer_dropout(states))
        inside = (distance == 1)[..., None]
        target = (states * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
        asked = self.attention_hidden(states) + self.attention_target(target)[:, None]
        scores = self.attention_score(torch.tanh(asked))
        attended = (torch.softmax(scores, dim=1) * states).sum(dim=1)
        return torch.cat([attended, states.amax(dim=1), states.mean(dim=1), target], dim=1)

    def forward(self, ids: torch.Tensor, sources: torch.Tensor | None = None, spans: torch.Tensor | None = None) -> torch.Tensor:
        """Logits [batch, 3]. `sources` [batch]: the corpus of each row; None uses the exported output layer alone."""
        if spans is None:
            spans = torch.zeros(len(ids), 2, dtype=torch.int64)
        features = self.feature_dropout(self.features(ids, spans))
        logits = self.output(features)
        if sources is None or not self.source_output:
            return logits
        corrections = torch.stack([torch.zeros_like(logits)] + [layer(features) for layer in self.source_output], dim=1)
        return logits + corrections[torch.arange(len(ids)), sources]


    def dense_parameters(self) -> list[nn.Parameter]:
        """All parameters but the word vectors, whose gradients are sparse."""
        return [parameter for name, parameter in self.named_parameters() if name != "embedding.weight"]

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """AdamW, and SparseAdam for the word vectors, so that a step updates only those of the batch."""
        return [
            torch.optim.AdamW(self.dense_parameters(), lr=learning_rate, weight_decay=1e-4),
            torch.optim.SparseAdam([self.embedding.weight], lr=learning_rate),
        ]


def initialise(lstm: nn.LSTM) -> None:
    """Orthogonal recurrent weights, and a forget gate bias of 1 (Jozefowicz et al., 2015)."""
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
