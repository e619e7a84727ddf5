"""The teacher: a small BERT encoder (transformers' BertModel) with a classification layer on the mean over the tokens.

encoders.py reads the pretrained weights.
"""

from __future__ import annotations

import torch
from tokenizers import Regex, Tokenizer, normalizers
from torch import nn
from transformers import BertConfig, BertModel

from ...text import tokenizer as tokenization
from .encoders import package_folder

HEAD_WIDTH = 32  # width of an attention head in all encoders used here


def teacher_tokenizer() -> Tokenizer:
    """BERT's word pieces after this project's preparation; its markers become plain words."""
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


def encoder_config(weights: dict[str, torch.Tensor], dropout: float = 0.1) -> BertConfig:
    """The configuration of an encoder, derived from its weights."""
    vocabulary, width = weights["embeddings.word_embeddings.weight"].shape
    return BertConfig(
        vocab_size=vocabulary, hidden_size=width, num_attention_heads=width // HEAD_WIDTH,
        num_hidden_layers=len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}),
        intermediate_size=len(weights["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(weights["embeddings.position_embeddings.weight"]),
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0,
    )


class Teacher(nn.Module):
    """Token ids [batch, tokens] of equally long texts to logits [batch, 3]."""

    def __init__(self, config: BertConfig, sources: int):
        super().__init__()
        self.encoder = BertModel(config, add_pooling_layer=False)
        # A step then updates only the vectors of the batch's words.
        self.encoder.embeddings.word_embeddings.sparse = True
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.output = nn.Linear(config.hidden_size, 3)
        # As in SentimentNetwork: each corpus but the anchor has its own correction of the output layer.
        self.source_output = nn.ModuleList(nn.Linear(config.hidden_size, 3) for _ in range(sources - 1))
        for layer in self.source_output:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids: torch.Tensor, sources: torch.Tensor | None = None, spans: torch.Tensor | None = None) -> torch.Tensor:  # noqa: ARG002
        """`sources` [batch]: the corpus of each row; None uses the anchor's output layer alone. `spans` is ignored:
        the teacher takes no target."""
        features = self.dropout(self.encoder(input_ids=ids).last_hidden_state.mean(dim=1))
        logits = self.output(features)
        if sources is None or not self.source_output:
            return logits
        corrections = torch.stack([torch.zeros_like(logits)] + [layer(features) for layer in self.source_output], dim=1)
        return logits + corrections[torch.arange(len(ids)), sources]

    def dense_parameters(self) -> list[nn.Parameter]:
        """All parameters but the word vectors, whose gradients are sparse."""
        vectors = self.encoder.embeddings.word_embeddings.weight
        return [parameter for parameter in self.parameters() if parameter is not vectors]

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """AdamW for the dense parameters, SparseAdam for the word vectors."""
        return [
            torch.optim.AdamW(self.dense_parameters(), lr=learning_rate, weight_decay=0.01),
            torch.optim.SparseAdam([self.encoder.embeddings.word_embeddings.weight], lr=learning_rate),
        ]

    def load_pretrained(self, weights: dict[str, torch.Tensor]) -> None:
        """Loads the encoder's weights; leaves the output layers unchanged."""
        missing, _ = self.encoder.load_state_dict(weights, strict=False)
        assert not missing, missing
