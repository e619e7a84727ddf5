"""The teacher's layer against PyTorch's own, and the graph without targets against the network. Needs torch."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from training.models.languages.e5_file import Sizes
from training.models.languages.export import build_untargeted
from training.models.languages.student import with_own
from training.models.languages.teacher_network import layers
from training.models.languages.vocabulary import reduced
from training.text.batches import Encoded
from training.text.evaluation import softmax
from training.text.network import Architecture, SentimentNetwork
from training.text.network_export import rounded
from training.text.training import predict


class _File:
    """Stands for e5's file: random tensors, and which were asked for."""

    sizes = Sizes(64, 1, 4, 96, 10, 16, 1e-12)

    def __init__(self) -> None:
        self.generator, self.taken = np.random.default_rng(0), {}

    def _random(self, name: str, *shape: int) -> np.ndarray:
        self.taken[name] = self.generator.normal(0, 0.3, shape).astype(np.float32)
        return self.taken[name]

    def vector(self, name: str) -> np.ndarray:
        return self._random(name, 96 if name == "l3.fi.b" else 64)

    def matrix(self, name: str, columns: int) -> np.ndarray:
        return self._random(name, 96 if name == "l3.fi.w" else 64, columns)


def test_a_layer_computes_what_pytorchs_own_does() -> None:
    file = _File()
    layer = layers(file, range(3, 4), 0.0)[0]
    own = nn.TransformerEncoderLayer(64, 4, 96, 0.0, "gelu", 1e-12, batch_first=True)
    tensor = {name.removeprefix("l3."): torch.from_numpy(value) for name, value in file.taken.items()}
    own.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat([tensor["q.w"], tensor["k.w"], tensor["v.w"]]),
            "self_attn.in_proj_bias": torch.cat([tensor["q.b"], tensor["k.b"], tensor["v.b"]]),
            "self_attn.out_proj.weight": tensor["ao.w"], "self_attn.out_proj.bias": tensor["ao.b"],
            "linear1.weight": tensor["fi.w"], "linear1.bias": tensor["fi.b"],
            "linear2.weight": tensor["fo.w"], "linear2.bias": tensor["fo.b"],
            "norm1.weight": tensor["aln.w"], "norm1.bias": tensor["aln.b"],
            "norm2.weight": tensor["oln.w"], "norm2.bias": tensor["oln.b"],
        }
    )  # fmt: skip
    states = torch.randn(3, 5, 64)
    with torch.no_grad():
        assert torch.allclose(layer(states), own(states), atol=1e-4)


def test_the_graph_without_targets_computes_what_the_network_does() -> None:
    torch.manual_seed(0)
    network, lengths = SentimentNetwork(Architecture(50, 12, 8, 6)), np.array([1, 5, 3, 9])
    with torch.no_grad():
        network.output.weight.normal_()
    arrays = rounded({name: tensor.numpy() for name, tensor in network.state_dict().items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    session = onnxruntime.InferenceSession(build_untargeted(arrays, 1.3).SerializeToString())
    assert [value.name for value in session.get_inputs()] == ["input_ids", "lengths"]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.random.default_rng(0).integers(2, 50, starts[-1]).astype(np.int32)
    padded = np.zeros((len(lengths), 11), dtype=np.int64)
    for index, length in enumerate(lengths):
        padded[index, :length] = ids[starts[index] :][:length]
    found = session.run(None, {"input_ids": padded, "lengths": lengths})[0]
    expected = softmax(predict(network, Encoded(ids, starts, np.zeros((len(lengths), 2), dtype=np.int64))), 1.3)
    assert np.abs(found - expected).max() < 0.03
    assert expected.std(axis=0).max() > 0.02, "a network that answers the same to everything proves nothing"


def test_own_labels_and_opinions_are_mixed_to_probabilities() -> None:
    mixed = with_own([0, 2], np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]], dtype=np.float32))
    assert mixed.sum(axis=1) == pytest.approx(1) and mixed.argmax(axis=1).tolist() == [0, 2]


def test_reduced_vectors_keep_who_is_near_whom() -> None:
    generator = np.random.default_rng(0)
    wide = generator.normal(size=(40, 3)) @ generator.normal(size=(3, 30))
    near = np.linalg.norm(wide[:, None] - wide, axis=2)
    after = reduced(wide, 3)
    again = np.linalg.norm(after[:, None] - after, axis=2)
    assert again / again.max() == pytest.approx(near / near.max(), abs=1e-3)
