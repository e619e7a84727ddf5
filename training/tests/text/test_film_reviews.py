"""The film reviews' network against its exported graph, the weights of pairs and triples, the loop. Needs torch."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training.models.film_reviews.export import build_model, rounded
from training.models.film_reviews.network import Architecture, FilmNetwork, TalkNetwork
from training.models.film_reviews.ngrams import FOLDS, Table, cross_fitted, keys, table
from training.models.film_reviews.reviews import Reviews, read_reviews, validates
from training.models.film_reviews.training import Plan, Trainer, Windows, log_odds
from training.text.batches import Encoded

VOCABULARY = 40
GOOD, BAD, NOT = 5, 6, 7


def encoded(texts: list[list[int]]) -> Encoded:
    starts = np.cumsum([0] + [len(text) for text in texts])
    return Encoded(np.array([i for text in texts for i in text], np.int32), starts, np.zeros((len(texts), 2), np.int64))


def reviews(count: int = 200) -> Reviews:
    """Reviews whose only sign is a pair: "not bad" is positive, "not good" negative."""
    generator = np.random.default_rng(0)
    positive = generator.integers(0, 2, count)
    texts = []
    for side in positive:
        text = generator.integers(10, VOCABULARY, generator.integers(8, 60)).tolist()
        at = generator.integers(1, len(text) - 4)
        text[at : at + 2] = [NOT, BAD if side else GOOD]
        text[-2:] = [GOOD if side else BAD, 9]
        texts.append(text)
    return Reviews(encoded(texts), positive.astype(np.float32), np.arange(count) % FOLDS)


def tables(seed: int = 0) -> tuple[Table, Table]:
    """Random tables in which about half of the rows answer."""
    generator = np.random.default_rng(seed)
    made = []
    for rows, kind in ((1009, 1), (2003, 2)):
        known = np.unique(generator.integers(0, VOCABULARY ** (kind + 1), 4 * rows))
        made.append(table(known, generator.normal(size=len(known)).astype(np.float32), rows))
    return made[0], made[1]


def test_the_exported_graph_computes_what_the_network_computes() -> None:
    torch.manual_seed(0)
    generator = np.random.default_rng(1)
    lengths = [1, 2, 3, 7, 12]
    texts = encoded([generator.integers(1, VOCABULARY, length).tolist() for length in lengths])
    network = FilmNetwork(Architecture(VOCABULARY, 12, 8, 6))
    with torch.no_grad():
        network.output.weight.normal_()
    arrays = rounded({name: tensor.numpy() for name, tensor in network.state_dict().items()})
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    both = tables()
    beside = np.stack([one.of(key) for one, key in zip(both, keys(texts, VOCABULARY)[1:], strict=True)], axis=1)
    assert 0.1 < (beside != 0).mean() < 0.9, "tables that always or never answer prove nothing"
    session = onnxruntime.InferenceSession(build_model(arrays, both, 1.7).SerializeToString())
    padded = np.zeros((len(lengths), 15), dtype=np.int64)
    for row, length in enumerate(lengths):
        padded[row, :length] = texts.ids[texts.starts[row] :][:length]
    found = session.run(None, {"input_ids": padded, "lengths": np.array(lengths, dtype=np.int64)})[0]
    expected = 1 / (1 + np.exp(-log_odds(network, texts, beside) / 1.7))
    assert found[:, 2] == pytest.approx(expected, abs=1e-5)
    assert expected.std() > 0.05, "a network that answers the same to everything proves nothing"
    assert (found[:, 1] == 0).all() and found.sum(axis=1) == pytest.approx(1, abs=1e-6)
    without = log_odds(network, texts, np.zeros_like(beside))
    assert np.abs(log_odds(network, texts, beside) - without).max() > 0.01, "pairs and triples must count"


def test_keys_are_those_of_the_words_before() -> None:
    words, pairs, triples = keys(encoded([[3, 4, 5], [6]]), 10)
    assert words.tolist() == [3, 4, 5, 6]
    assert pairs.tolist() == [3, 34, 45, 6]
    assert triples.tolist() == [3, 34, 345, 6]


def test_a_table_gives_its_weights_back_and_nothing_for_most_other_keys() -> None:
    generator = np.random.default_rng(0)
    every = generator.permutation(10**7)[:40_000]
    known, others = every[:20_000], every[20_000:]
    weights = generator.normal(size=len(known)).astype(np.float32)
    made = table(known, weights, 199_999)
    found = made.of(known)
    assert (np.abs(found - weights) < 0.05).mean() > 0.93  # the rest lost its row to a larger weight
    assert (made.of(others) != 0).mean() < 0.01


def test_a_review_is_read_with_weights_that_never_saw_it() -> None:
    some = reviews()
    grams = cross_fitted(some, VOCABULARY, 1.0)
    at = keys(some.encoded, VOCABULARY)[1]
    good, bad = (grams.of_training[at == NOT * VOCABULARY + word, 0] for word in (GOOD, BAD))
    assert len(good) > 50 and (good < 0).all() and (bad > 0).all()
    assert ((grams.odds_of_training > 0) == (some.positive == 1)).mean() > 0.95
    # The labels of one fold, turned round, must change what all other folds read and leave its own as it was.
    turned = Reviews(some.encoded, np.where(some.folds == 2, 1 - some.positive, some.positive).astype(np.float32), some.folds)
    other = cross_fitted(turned, VOCABULARY, 1.0)
    own = np.repeat(some.folds, some.encoded.lengths()) == 2
    # What is read is scaled and rounded by what all folds have: equal but for that.
    assert np.corrcoef(other.of_training[own, 0], grams.of_training[own, 0])[0, 1] > 0.995
    assert np.corrcoef(other.of_training[~own, 0], grams.of_training[~own, 0])[0, 1] < 0.99
    assert np.abs(other.odds_of_training[some.folds == 2] - grams.odds_of_training[some.folds == 2]).max() < 1e-4
    assert np.abs(other.odds_of_training[some.folds != 2] - grams.odds_of_training[some.folds != 2]).max() > 0.1


def test_windows_lie_within_their_reviews() -> None:
    some = reviews()
    drawn = Windows.drawn(some.encoded, 32, np.random.default_rng(0))
    assert (drawn.starts >= some.encoded.starts[:-1]).all()
    assert (drawn.starts + drawn.lengths <= some.encoded.starts[1:]).all()
    assert set(drawn.lengths[some.encoded.lengths() >= 32].tolist()) == {32}
    seen = np.concatenate([rows for rows, places in drawn.batches(8, np.random.default_rng(0))])
    assert sorted(seen.tolist()) == list(range(len(some)))


def trained(work: Path, stop_after: int | None = None) -> dict[str, torch.Tensor]:
    """Weights after three epochs; with `stop_after`, of a run that was killed then and started anew."""
    work.mkdir(exist_ok=True)
    some = reviews(120)
    grams = cross_fitted(some, VOCABULARY, 1.0)
    plan = Plan(epochs=3, plain_epochs=1, learning_rate=1e-2, longest=48)

    def begin(report: Callable[[str, dict], None] = lambda when, weights: None) -> Trainer:
        torch.manual_seed(0)
        return Trainer(FilmNetwork(Architecture(VOCABULARY, 12, 8, 6)), some, grams.of_training, plan, work, 1, report)

    if stop_after is not None:

        def stop(when: str, weights: dict) -> None:
            if when.startswith(f"epoch {stop_after}/"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            begin(stop).run()
    trainer = begin()
    assert trainer.done == (stop_after or 0)
    return trainer.run()


def test_a_killed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, broken = trained(tmp_path / "whole"), trained(tmp_path / "broken", stop_after=2)
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    torch.manual_seed(0)
    assert not torch.equal(whole["embedding.weight"], FilmNetwork(Architecture(VOCABULARY, 12, 8, 6)).embedding.weight)


def test_the_talks_network_is_read_at_its_last_step_and_keeps_its_vectors() -> None:
    torch.manual_seed(0)
    network = TalkNetwork(np.random.default_rng(0).normal(size=(VOCABULARY, 6)).astype(np.float32), 8)
    ids = torch.randint(0, VOCABULARY, (3, 9))
    odds = network(ids)
    assert odds.shape == (3,)
    odds.sum().backward()
    assert network.embedding.weight.grad is None and network.peepholes.grad.abs().min() > 0
    changed = ids.clone()
    changed[:, -1] = (changed[:, -1] + 1) % VOCABULARY
    assert not torch.equal(network(changed), odds)


def test_no_review_of_the_test_half_trains_or_validates(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    lines = [f"positive\tA film of ours, number {number}." for number in range(40)]
    for name, some in (("imdb_train", lines), ("imdb_test", ["negative\tA FILM of ours - number 7", "negative\ta film of ours, number 28."])):
        with lzma.open(tmp_path / "text" / f"{name}.tsv.xz", "wt", encoding="utf-8") as file:
            file.write("label\ttext\n" + "\n".join(some) + "\n")
    training, validation = read_reviews(tmp_path)
    assert [row.text.split()[-1] for row in validation] == ["20.", "29."]
    assert len(training) == 36 and not any(row.text.endswith(" 7.") for row in training)


def test_the_split_never_moves() -> None:
    assert [number for number in range(40) if validates(f"A film of ours, number {number}.")] == [20, 28, 29]
    assert validates("A FILM of ours -- number 1") == validates("a film of ours, number 1.")

