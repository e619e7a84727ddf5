"""The teacher: multilingual-e5-small with a classification layer on the mean over the tokens.

The layers are transformers' BERT (Devlin et al., NAACL 2019). Word vectors and the lower layers are frozen, so their output is
computed once per training text. The upper layers are fine-tuned.
"""

from __future__ import annotations

import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram
from torch import nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from .e5_file import E5File

BLANK = "▁"
# e5's prefix for symmetric similarity. The teacher does not use it.
PREFIX = "query: "


def e5_tokenizer(file: E5File) -> Tokenizer:
    """e5's own tokenizer, without special tokens."""
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


# The tensors of a layer: BERT's name to the file's name.
TENSORS = {
    "attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v", "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln", "intermediate.dense": "fi", "output.dense": "fo", "output.LayerNorm": "oln",
}


def layers(file: E5File, numbers: range, dropout: float) -> nn.ModuleList:
    """The encoder's layers `numbers`, counted from 0, with the file's weights."""
    sizes = file.sizes
    config = BertConfig(
        hidden_size=sizes.width, num_attention_heads=sizes.heads, intermediate_size=sizes.inner, layer_norm_eps=sizes.epsilon,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0, attn_implementation="sdpa",
    )
    return nn.ModuleList(_layer(file, number, config) for number in numbers)


def _layer(file: E5File, number: int, config: BertConfig) -> BertLayer:
    taken = {}
    for name, short in TENSORS.items():
        place = f"l{number}.{short}"
        columns = file.sizes.inner if short == "fo" else file.sizes.width
        weight = file.vector(f"{place}.w") if name.endswith("LayerNorm") else file.matrix(f"{place}.w", columns)
        taken |= {f"{name}.weight": torch.from_numpy(weight), f"{name}.bias": torch.from_numpy(file.vector(f"{place}.b"))}
    layer = BertLayer(config)
    layer.load_state_dict(taken)
    return layer


def run(some: nn.ModuleList, states: torch.Tensor) -> torch.Tensor:
    """Runs states [batch, tokens, width] through layers; returns the same shape."""
    for layer in some:
        states = layer(states)
    return states


class Lower(nn.Module):
    """Word vectors and the first `count` layers, frozen: token ids [batch, tokens] to states [batch, tokens, width]."""

    def __init__(self, file: E5File, count: int):
        super().__init__()
        self.file = file
        width = file.sizes.width
        # Only segment type 0 is used, so its vector is added to the positions.
        positions = file.vector("emb.pos").reshape(-1, width) + file.vector("emb.type").reshape(-1, width)[0]
        self.register_buffer("positions", torch.from_numpy(positions))
        self.norm = nn.LayerNorm(width, eps=file.sizes.epsilon)
        self.norm.load_state_dict({"weight": torch.from_numpy(file.vector("emb.ln.w")), "bias": torch.from_numpy(file.vector("emb.ln.b"))})
        self.layers = layers(file, range(count), 0.0)
        self.requires_grad_(False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        width = self.file.sizes.width
        words = self.file.matrix("emb.word", width, ids.numpy().ravel()).reshape(*ids.shape, width)
        return run(self.layers, self.norm(torch.from_numpy(words) + self.positions[: ids.shape[1]]))


class Upper(nn.Module):
    """The layers from `first` on, the mean over the tokens, and a classification layer with a correction for each source but 0."""

    def __init__(self, file: E5File, first: int, sources: int, dropout: float = 0.1):
        super().__init__()
        self.layers = layers(file, range(first, file.sizes.layers), dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(file.sizes.width, 3)
        # Row 0 stays unused: labels are predicted as source 0, without a correction.
        self.source_output = nn.Parameter(torch.zeros(sources, 3, file.sizes.width))

    def pooled(self, states: torch.Tensor) -> torch.Tensor:
        """States [batch, tokens, width] to the mean over the tokens [batch, width]."""
        return run(self.layers, states).mean(dim=1)

    def forward(self, states: torch.Tensor, source: int = 0) -> torch.Tensor:
        """Logits [batch, 3] of texts of one source."""
        features = self.dropout(self.pooled(states))
        logits = self.output(features)
        return logits + features @ self.source_output[source].T if source else logits
