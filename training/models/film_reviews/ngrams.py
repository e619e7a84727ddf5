"""Bigram and trigram weights: a linear model over n-grams, and its weights as compact hash tables.

The linear model is logistic regression over the presence of words, bigrams and trigrams, each scaled by its log-count
ratio, after Wang and Manning, "Baselines and Bigrams" (ACL 2012). The weights are inputs of the LSTM, as in stacking
(Wolpert, "Stacked Generalization", 1992): a training review gets weights fitted without its fold, since others would
leak its label. Other reviews get the mean of all folds' weights.

A bigram's key is `previous * vocabulary + word`, a trigram's has one more base-`vocabulary` digit. Its row in the table is
the key modulo the (prime) number of rows; the quotient modulo 251 is stored as a fingerprint that detects most collisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from ...text.batches import Encoded
from .reviews import FOLDS, Reviews

MARKS = 251
ROWS = (499_979, 699_967)  # of the bigram and trigram tables; primes
NO_MARK = 255  # mark of an empty row
LEAST_REVIEWS = 2  # document frequency below which an n-gram is ignored
STEPS = 30  # L-BFGS iterations


def keys(encoded: Encoded, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys of the word, bigram and trigram that end at each token, int64 [tokens] each; texts are padded with id 0 in front."""
    ids = encoded.ids.astype(np.int64)
    place = np.arange(len(ids)) - np.repeat(encoded.starts[:-1], encoded.lengths())
    before = np.where(place > 0, np.roll(ids, 1), 0)
    two_before = np.where(place > 1, np.roll(ids, 2), 0)
    return ids, before * vocabulary + ids, (two_before * vocabulary + before) * vocabulary + ids


@dataclass(frozen=True)
class Presence:
    """Document-term matrix of n-grams of one order."""

    known: np.ndarray  # int64, sorted
    matrix: sparse.csr_matrix  # float32 [reviews, known], zeros and ones


def presence(encoded: Encoded, of_tokens: np.ndarray, known: np.ndarray | None = None) -> Presence:
    """The presence of keys in each review; without `known`, of the keys in at least LEAST_REVIEWS reviews."""
    reviews = np.repeat(np.arange(len(encoded)), encoded.lengths())
    all_keys, column = np.unique(of_tokens, return_inverse=True)
    pairs = np.unique(reviews * len(all_keys) + column)
    row, column = np.divmod(pairs, len(all_keys))
    if known is None:
        known = all_keys[np.bincount(column, minlength=len(all_keys)) >= LEAST_REVIEWS]
    place = np.searchsorted(known, all_keys).clip(max=len(known) - 1)
    kept = (known[place] == all_keys)[column]
    shape = (len(encoded), len(known))
    return Presence(known, sparse.csr_matrix((np.ones(kept.sum(), np.float32), (row[kept], place[column[kept]])), shape))


def fitted(matrix: sparse.csr_matrix, positive: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Weights float32 [columns] and bias of the linear model. `penalty`: coefficient of the squared L2 norm of the weights."""
    counts = 1 + np.stack([np.asarray(matrix[positive == side].sum(axis=0)).ravel() for side in (1, 0)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    ratio = np.log(shares[0] / shares[1]).astype(np.float32)
    scaled = (matrix @ sparse.diags_array(ratio)).tocsr()
    transposed = scaled.T.tocsr()
    sign = (2 * positive - 1).astype(np.float32)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        weights = weights.astype(np.float32)
        margin = (scaled @ weights[:-1] + weights[-1]) * sign
        slope = -sign / (1 + np.exp(np.minimum(margin, 80)))
        value = np.logaddexp(0, -margin).sum(dtype=np.float64) + penalty * float(weights[:-1] @ weights[:-1])
        return float(value), np.append(transposed @ slope + 2 * penalty * weights[:-1], slope.sum()).astype(np.float64)

    found = minimize(loss, np.zeros(len(ratio) + 1), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 5}).x
    return (found[:-1] * ratio).astype(np.float32), float(found[-1])


@dataclass(frozen=True)
class Table:
    """A hash table of n-gram weights: one byte of weight and one byte of fingerprint per row."""

    weights: np.ndarray  # int8 [rows]
    marks: np.ndarray  # uint8 [rows]
    scale: float

    def of(self, of_tokens: np.ndarray) -> np.ndarray:
        """Weights float32 of keys; zero if the fingerprint differs."""
        quotient, row = np.divmod(of_tokens, len(self.weights))
        known = self.marks[row] == quotient % MARKS
        return np.where(known, self.weights[row] * np.float32(self.scale), np.float32(0))


def in_8_bits(weights: np.ndarray, scale: float) -> np.ndarray:
    """Weights divided by `scale`, rounded and clipped to -127 to 127."""
    return np.round(weights / scale).clip(-127, 127)


def table(known: np.ndarray, weights: np.ndarray, rows: int) -> Table:
    """Builds the table; of two keys with the same row, the one with the larger absolute weight is kept."""
    order = np.argsort(np.abs(weights), kind="stable")
    known, weights = known[order], weights[order]
    scale = float(np.quantile(np.abs(weights), 0.9999)) / 127
    stored, marks = np.zeros(rows, dtype=np.int8), np.full(rows, NO_MARK, dtype=np.uint8)
    quotient, row = np.divmod(known, rows)
    stored[row] = in_8_bits(weights, scale)
    marks[row] = quotient % MARKS
    return Table(stored, marks, scale)


@dataclass(frozen=True)
class Grams:
    """The tables, and the cross-fitted values of the training reviews."""

    tables: tuple[Table, Table]
    of_training: np.ndarray  # float32 [tokens, 2]
    odds_of_training: np.ndarray  # float32 [reviews]: log-odds of the linear model fitted without the review's fold

    def read(self, encoded: Encoded, vocabulary: int) -> np.ndarray:
        """Bigram and trigram weights at each token of other texts, float32 [tokens, 2]."""
        return np.stack([one.of(of_tokens) for one, of_tokens in zip(self.tables, keys(encoded, vocabulary)[1:], strict=True)], axis=1)


def cross_fitted(reviews: Reviews, vocabulary: int, penalty: float) -> Grams:
    """Fits the linear model once per fold, on the other folds."""
    of_tokens = keys(reviews.encoded, vocabulary)
    kinds = [presence(reviews.encoded, one) for one in of_tokens]
    matrix = sparse.hstack([kind.matrix for kind in kinds], format="csr")
    borders = np.cumsum([0] + [len(kind.known) for kind in kinds])
    fold_of_token = np.repeat(reviews.folds, reviews.encoded.lengths())
    beside = np.zeros((len(fold_of_token), 2), dtype=np.float32)
    odds = np.zeros(len(reviews), dtype=np.float32)
    mean = np.zeros(borders[-1], dtype=np.float32)
    for fold in range(FOLDS):
        inside = reviews.folds == fold
        weights, bias = fitted(matrix[~inside], reviews.positive[~inside], penalty)
        odds[inside] = matrix[inside] @ weights + bias
        mean += weights / FOLDS
        for kind in (1, 2):
            known, own = kinds[kind].known, weights[borders[kind] : borders[kind + 1]]
            chosen = of_tokens[kind][fold_of_token == fold]
            place = np.searchsorted(known, chosen).clip(max=len(known) - 1)
            beside[fold_of_token == fold, kind - 1] = np.where(known[place] == chosen, own[place], 0)
    # Scales the inputs to a standard deviation of one.
    scales = [1 / max(float(beside[:, kind].std()), 1e-6) for kind in (0, 1)]
    tables = tuple(
        table(kinds[kind].known, mean[borders[kind] : borders[kind + 1]] * scales[kind - 1], ROWS[kind - 1]) for kind in (1, 2)
    )
    # Rounds the training inputs as the tables do.
    beside = [in_8_bits(beside[:, kind] * scales[kind], one.scale) * one.scale for kind, one in enumerate(tables)]
    return Grams(tables, np.stack(beside, axis=1).astype(np.float32), odds)


def save_grams(grams: Grams, path: Path) -> None:
    """Writes the file for `read_grams`."""
    arrays = {"of_training": grams.of_training, "odds_of_training": grams.odds_of_training}
    for number, one in enumerate(grams.tables):
        arrays |= {f"weights_{number}": one.weights, f"marks_{number}": one.marks, f"scale_{number}": np.array(one.scale)}
    np.savez(path, **arrays)


def read_grams(path: Path) -> Grams:
    """Reads the file of `save_grams`."""
    with np.load(path) as arrays:
        tables = [Table(arrays[f"weights_{number}"], arrays[f"marks_{number}"], float(arrays[f"scale_{number}"])) for number in (0, 1)]
        return Grams((tables[0], tables[1]), arrays["of_training"], arrays["odds_of_training"])
