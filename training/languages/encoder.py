"""The teacher: multilingual-e5-small with a classifying layer on the mean token.

The network of BERT (Devlin et al., NAACL 2019), written out so that batches of one length need neither masks nor padding.
Word vectors and the lower layers stay as they are: what comes out of them is computed once a text. The upper layers learn.
"""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram
from torch import nn
from torch.nn import functional

from .e5_file import E5File, Sizes

BLANK = "▁"
# What e5 expects before a text that is compared with its like.
PREFIX = "query: "


def e5_tokenizer(file: E5File) -> Tokenizer:
    """Word pieces as e5 was trained with them."""
    scored = list(zip(file.pieces, file.scores.tolist(), strict=True))
    tokenizer = Tokenizer(Unigram(scored, unk_id=file.unknown_id, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\x{200B}-\x{200F}\x{FE0E}\x{FE0F}\x{FEFF}\x{2581}\s]+"), " "),
            normalizers.Replace(Regex(r"\p{Cc}+"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=BLANK, prepend_scheme="always")
    return tokenizer


class Layer(nn.Module):
    """Self-attention and a two-layer network, each with a residual and a normalisation after it."""

    def __init__(self, sizes: Sizes, dropout: float):
        super().__init__()
        self.heads = sizes.heads
        self.query_key_value = nn.Linear(sizes.width, 3 * sizes.width)
        self.attention_output = nn.Linear(sizes.width, sizes.width)
        self.attention_norm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)
        self.inner = nn.Linear(sizes.width, sizes.inner)
        self.outer = nn.Linear(sizes.inner, sizes.width)
        self.outer_norm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States [batch, tokens, width] to the same."""
        batch, tokens, width = states.shape
        heads = self.query_key_value(states).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        mixed = self.attention_output(mixed.transpose(1, 2).reshape(batch, tokens, width))
        states = self.attention_norm(states + self.dropout(mixed))
        return self.outer_norm(states + self.dropout(self.outer(functional.gelu(self.inner(states)))))

    def load(self, file: E5File, number: int) -> None:
        """Takes over the weights of a layer, counted from 0."""
        width, inner = file.sizes.width, file.sizes.inner

        def matrix(name: str, columns: int = width) -> np.ndarray:
            return file.matrix(f"l{number}.{name}.w", columns)

        def bias(name: str) -> np.ndarray:
            return file.vector(f"l{number}.{name}.b")

        taken = {
            "query_key_value.weight": np.concatenate([matrix(part) for part in "qkv"]),
            "query_key_value.bias": np.concatenate([bias(part) for part in "qkv"]),
            "attention_output.weight": matrix("ao"),
            "attention_output.bias": bias("ao"),
            "attention_norm.weight": file.vector(f"l{number}.aln.w"),
            "attention_norm.bias": bias("aln"),
            "inner.weight": matrix("fi"),
            "inner.bias": bias("fi"),
            "outer.weight": matrix("fo", inner),
            "outer.bias": bias("fo"),
            "outer_norm.weight": file.vector(f"l{number}.oln.w"),
            "outer_norm.bias": bias("oln"),
        }
        self.load_state_dict({name: torch.from_numpy(value) for name, value in taken.items()})


class Lower(nn.Module):
    """Word vectors and the layers below `layers`, which never learn: token ids [batch, tokens] to states."""

    def __init__(self, file: E5File, layers: int):
        super().__init__()
        self.file = file
        width = file.sizes.width
        # One kind of segment is ever used, so its vector joins the positions.
        positions = file.vector("emb.pos").reshape(-1, width) + file.vector("emb.type").reshape(-1, width)[0]
        self.register_buffer("positions", torch.from_numpy(positions))
        self.norm = nn.LayerNorm(width, eps=file.sizes.epsilon)
        self.norm.load_state_dict({"weight": torch.from_numpy(file.vector("emb.ln.w")), "bias": torch.from_numpy(file.vector("emb.ln.b"))})
        self.layers = nn.ModuleList(Layer(file.sizes, 0.0) for _ in range(layers))
        for number, layer in enumerate(self.layers):
            layer.load(file, number)
        self.requires_grad_(False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        width = self.file.sizes.width
        words = self.file.matrix("emb.word", width, ids.numpy().ravel()).reshape(*ids.shape, width)
        states = self.norm(torch.from_numpy(words) + self.positions[: ids.shape[1]])
        for layer in self.layers:
            states = layer(states)
        return states


class Upper(nn.Module):
    """The layers from `first` on, the mean over the tokens, and a classifying layer for each source."""

    def __init__(self, file: E5File, first: int, sources: int, dropout: float = 0.1):
        super().__init__()
        self.layers = nn.ModuleList(Layer(file.sizes, dropout) for _ in range(first, file.sizes.layers))
        for number, layer in enumerate(self.layers, start=first):
            layer.load(file, number)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(file.sizes.width, 3)
        # Source 0 has no correction of its own: it is the one that labels.
        self.source_output = nn.Parameter(torch.zeros(sources, 3, file.sizes.width))

    def pooled(self, states: torch.Tensor) -> torch.Tensor:
        """States [batch, tokens, width] to the mean over the tokens [batch, width]."""
        for layer in self.layers:
            states = layer(states)
        return states.mean(dim=1)

    def forward(self, states: torch.Tensor, source: int = 0) -> torch.Tensor:
        """Logits [batch, 3] of texts of one source."""
        features = self.dropout(self.pooled(states))
        logits = self.output(features)
        return logits + features @ self.source_output[source].T if source else logits
