"""The network against its exported graph, batches of one length, the loss. Needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training.text.batches import Encoded, batches_of_one_length
from training.text.evaluation import softmax
from training.text.network import Architecture, SentimentNetwork
from training.text.network_export import build_model, rounded
from training.text.training import loss_of, predict

LENGTHS = [1, 5, 3, 5, 9, 1, 2]


@pytest.fixture
def encoded() -> Encoded:
    generator = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(LENGTHS)])
    spans = np.array([(1, 2) if length > 2 else (0, 0) for length in LENGTHS], dtype=np.int64)
    return Encoded(generator.integers(2, 50, starts[-1]).astype(np.int32), starts, spans)


def test_the_exported_graph_computes_what_the_network_computes(encoded: Encoded, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = SentimentNetwork(Architecture(50, 12, 8, 6), sources=2)
    with torch.no_grad():
        network.output.weight.normal_()
        network.distance.weight[1:].normal_()
        network.attention_target.weight.normal_()
    arrays = rounded({name: tensor.numpy() for name, tensor in network.state_dict().items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    session = onnxruntime.InferenceSession(build_model(arrays, 1.7, 1.1).SerializeToString())
    padded = np.zeros((len(LENGTHS), 12), dtype=np.int64)
    for index, length in enumerate(LENGTHS):
        padded[index, :length] = encoded.ids[encoded.starts[index] :][:length]
    inputs = {"input_ids": padded, "lengths": np.array(LENGTHS, dtype=np.int64)}
    inputs |= {"target_starts": encoded.spans[:, 0].copy(), "target_ends": encoded.spans[:, 1].copy()}
    found = session.run(None, inputs)[0]
    # Rows with a target have a temperature of their own.
    expected = softmax(predict(network, encoded), np.where(encoded.spans[:, 1:] > 0, 1.1, 1.7))
    # The graph counts its states in 8 bits, PyTorch in 32.
    assert np.abs(found - expected).max() < 0.03
    # Towards nothing it answers otherwise, and what stands beside a text changes nothing.
    whole = session.run(None, inputs | {"target_starts": 0 * inputs["target_starts"], "target_ends": 0 * inputs["target_ends"]})[0]
    assert np.abs(found - whole).max() > 0.05
    alone = [session.run(None, {name: value[at : at + 1] for name, value in inputs.items()})[0][0] for at in range(len(LENGTHS))]
    assert np.abs(found - np.array(alone)).max() < 1e-5
    assert expected.std(axis=0).max() > 0.02, "a network that answers the same to everything proves nothing"


def test_batches_cover_every_row_once_with_one_length_each(encoded: Encoded) -> None:
    lengths = encoded.lengths()
    batches = list(batches_of_one_length(lengths, np.arange(len(encoded)), 1, np.random.default_rng(0)))
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(encoded)))
    wide = list(batches_of_one_length(lengths, np.arange(len(encoded)), 8, None))
    assert all(len(set(lengths[batch])) == 1 for batch in wide) and len(wide) == len(set(LENGTHS))


def test_the_draw_is_the_same_for_the_same_seed(encoded: Encoded) -> None:
    def draw(seed: int) -> list[list[int]]:
        generator = np.random.default_rng(seed)
        return [batch.tolist() for batch in batches_of_one_length(encoded.lengths(), np.arange(7), 2, generator)]

    assert draw(3) == draw(3)


def test_neutral_takes_no_part_in_the_loss_of_two_class_rows() -> None:
    labels, ones = torch.tensor([[0.0, 0.0, 1.0]]), torch.ones(1, 3)
    low, high = (loss_of(torch.tensor([[0.0, n, 1.0]]), labels, torch.tensor([True]), ones) for n in (-5.0, 5.0))
    assert float(low) == pytest.approx(float(high)) == pytest.approx(np.log(1 + np.exp(-1)), abs=1e-5)
    three = [loss_of(torch.tensor([[0.0, n, 1.0]]), labels, torch.tensor([False]), ones) for n in (-5.0, 5.0)]
    assert float(three[1]) > float(three[0]) + 3


def test_a_loss_can_be_learned_from(encoded: Encoded) -> None:
    torch.manual_seed(0)
    network = SentimentNetwork(Architecture(50, 12, 8, 6))
    before = network.layer_1.weight_ih_l0.detach().clone()
    logits = network(torch.from_numpy(encoded.rows(np.array([1, 3]))))
    loss_of(logits, torch.eye(3)[:2], torch.tensor([False, False]), torch.ones(2, 3)).backward()
    torch.optim.SGD([p for n, p in network.named_parameters() if n != "embedding.weight"], lr=1.0).step()
    assert not torch.equal(before, network.layer_1.weight_ih_l0)
    assert network.embedding.weight.grad.is_sparse
