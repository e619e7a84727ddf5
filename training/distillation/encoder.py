"""The teacher: a small BERT (layers of 384) with a classifying layer on the mean token.

The network is written out here so that batches of one length need neither masks nor padding; what it
begins with is read by `pretrained`.
"""

from __future__ import annotations

import torch
from tokenizers import Regex, Tokenizer, normalizers
from torch import nn
from torch.nn import functional

from training.sentiment import tokenizer as tokenization

from .pretrained import package_folder

VOCABULARY, WIDTH, HEADS, INNER, POSITIONS = 30_522, 384, 12, 1_536, 512


def teacher_tokenizer() -> Tokenizer:
    """BERT's word pieces after this project's preparation; users and links become plain words."""
    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    words = [(tokenization.USER, "@user"), (tokenization.URL, "http"), (tokenization.NUMBER, "100")]
    tokenizer.normalizer = normalizers.Sequence(
        [
            tokenization.new_tokenizer().normalizer,
            *(normalizers.Replace(Regex(marker), word) for marker, word in words),
            tokenizer.normalizer,
        ]
    )
    return tokenizer


class _Layer(nn.Module):
    """Self-attention and a two-layer network, each with a residual and a normalisation after it."""

    def __init__(self, dropout: float):
        super().__init__()
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.attention_output = nn.Linear(WIDTH, WIDTH)
        self.attention_norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.inner = nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.outer_norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        batch, tokens, _ = states.shape
        heads = self.query_key_value(states).view(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        mixed = self.attention_output(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH))
        states = self.attention_norm(states + self.dropout(mixed))
        inner = self.outer(functional.gelu(self.inner(states)))
        return self.outer_norm(states + self.dropout(inner))


class Teacher(nn.Module):
    """Token ids [batch, tokens] of equally long texts to logits [batch, 3]."""

    def __init__(self, sources: int, layers: int, dropout: float = 0.1):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH, sparse=True)
        self.positions = nn.Parameter(torch.zeros(POSITIONS, WIDTH))
        self.embedding_norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_Layer(dropout) for _ in range(layers))
        self.output = nn.Linear(WIDTH, 3)
        # As in the student: each corpus but the anchor has its own correction of the output layer.
        self.source_output = nn.ModuleList(nn.Linear(WIDTH, 3) for _ in range(sources - 1))
        for layer in self.source_output:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids: torch.Tensor, sources: torch.Tensor | None = None, spans: torch.Tensor | None = None) -> torch.Tensor:  # noqa: ARG002
        """`sources` [batch]: the corpus of each row; without it the anchor's output layer. The target, if any, stands
        in the ids: `spans` is not used."""
        states = self.embedding(ids) + self.positions[: ids.shape[1]]
        states = self.dropout(self.embedding_norm(states))
        for layer in self.layers:
            states = layer(states)
        features = self.dropout(states.mean(dim=1))
        logits = self.output(features)
        if sources is None or not self.source_output:
            return logits
        corrections = torch.stack([torch.zeros_like(logits)] + [layer(features) for layer in self.source_output], dim=1)
        return logits + corrections[torch.arange(len(ids)), sources]

    def dense_parameters(self) -> list[nn.Parameter]:
        """All parameters but the word vectors."""
        return [parameter for name, parameter in self.named_parameters() if name != "embedding.weight"]

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        return [
            torch.optim.AdamW(self.dense_parameters(), lr=learning_rate, weight_decay=0.01),
            torch.optim.SparseAdam([self.embedding.weight], lr=learning_rate),
        ]

    def load_pretrained(self, weights: dict[str, torch.Tensor]) -> None:
        """Takes over weights under BERT's names; the output layers stay as they are."""
        first = "embeddings."
        state = self.state_dict()
        taken = {
            "embedding.weight": weights[f"{first}word_embeddings.weight"],
            # One kind of segment is ever used, so its vector joins the positions.
            "positions": weights[f"{first}position_embeddings.weight"] + weights[f"{first}token_type_embeddings.weight"][0],
            "embedding_norm.weight": weights[f"{first}LayerNorm.weight"],
            "embedding_norm.bias": weights[f"{first}LayerNorm.bias"],
        }
        for index in range(len(self.layers)):
            theirs, ours = f"encoder.layer.{index}.", f"layers.{index}."
            for kind in ("weight", "bias"):
                parts = [weights[f"{theirs}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
                taken[f"{ours}query_key_value.{kind}"] = torch.cat(parts)
                taken[f"{ours}attention_output.{kind}"] = weights[f"{theirs}attention.output.dense.{kind}"]
                taken[f"{ours}attention_norm.{kind}"] = weights[f"{theirs}attention.output.LayerNorm.{kind}"]
                taken[f"{ours}inner.{kind}"] = weights[f"{theirs}intermediate.dense.{kind}"]
                taken[f"{ours}outer.{kind}"] = weights[f"{theirs}output.dense.{kind}"]
                taken[f"{ours}outer_norm.{kind}"] = weights[f"{theirs}output.LayerNorm.{kind}"]
        missing = {name for name in state if not name.startswith(("output", "source_output"))} - set(taken)
        assert not missing, missing
        self.load_state_dict(state | taken)


def layers_of(weights: dict[str, torch.Tensor]) -> int:
    """How many layers a saved teacher has."""
    return len({name.split(".")[1] for name in weights if name.startswith("layers.")})
