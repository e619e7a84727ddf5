"""What word pairs and word triples weigh: a linear model over them, and its weights as a table that fits the file.

The linear model is logistic regression over the presence of words, pairs and triples, each scaled by its log-count
ratio, after Wang and Manning, "Baselines and Bigrams" (ACL 2012). The LSTM reads the weights beside the words, as
stacking does (Wolpert, "Stacked Generalization", 1992): a review that trains is read with weights that were fitted
without its fold, or the labels would stand in the input. What is read later has the mean of all folds' weights.

A pair's key is `previous * vocabulary + word`, a triple's one digit longer. Its row in the table is the key modulo
the (prime) number of rows; the quotient modulo 251 is a mark, kept beside the weight, that tells it from most others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from training.sentiment.batches import Encoded

from .reviews import FOLDS, Reviews

MARKS = 251
ROWS = (499_979, 699_967)  # of the tables of pairs and triples; primes
NO_MARK = 255  # of an empty row
LEAST_REVIEWS = 2  # a word, pair or triple that fewer reviews have weighs nothing
STEPS = 30  # of L-BFGS


def keys(encoded: Encoded, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys of the word, pair and triple that end at each token, int64 [tokens] each; before a text stands word 0."""
    ids = encoded.ids.astype(np.int64)
    place = np.arange(len(ids)) - np.repeat(encoded.starts[:-1], encoded.lengths())
    before = np.where(place > 0, np.roll(ids, 1), 0)
    two_before = np.where(place > 1, np.roll(ids, 2), 0)
    return ids, before * vocabulary + ids, (two_before * vocabulary + before) * vocabulary + ids


@dataclass(frozen=True)
class Presence:
    """Which review has which of the `known` keys of one kind."""

    known: np.ndarray  # int64, sorted
    matrix: sparse.csr_matrix  # float32 [reviews, known], zeros and ones


def presence(encoded: Encoded, of_tokens: np.ndarray, known: np.ndarray | None = None) -> Presence:
    """The keys in each review; without `known`, those that stand in LEAST_REVIEWS reviews."""
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
    """Weights float32 [columns] and bias of the linear model; `penalty` is half the factor of their squares."""
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
    """Weights of one kind's keys, one byte each, and a mark of one byte to know the key by."""

    weights: np.ndarray  # int8 [rows]
    marks: np.ndarray  # uint8 [rows]
    scale: float

    def of(self, of_tokens: np.ndarray) -> np.ndarray:
        """Weights float32 of keys; zero where the mark says that the row is another's."""
        quotient, row = np.divmod(of_tokens, len(self.weights))
        known = self.marks[row] == quotient % MARKS
        return np.where(known, self.weights[row] * np.float32(self.scale), np.float32(0))


def in_8_bits(weights: np.ndarray, scale: float) -> np.ndarray:
    """Whole numbers from -127 to 127 that times `scale` are about the weights."""
    return np.round(weights / scale).clip(-127, 127)


def table(known: np.ndarray, weights: np.ndarray, rows: int) -> Table:
    """Stores the weights; where two keys want a row, the larger weight has it."""
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
    """The tables, and what the reviews that train are read with."""

    tables: tuple[Table, Table]
    of_training: np.ndarray  # float32 [tokens, 2]
    odds_of_training: np.ndarray  # float32 [reviews]: log-odds of the linear model that never saw the review

    def read(self, encoded: Encoded, vocabulary: int) -> np.ndarray:
        """Numbers beside the words of other texts, float32 [tokens, 2]."""
        return np.stack([one.of(of_tokens) for one, of_tokens in zip(self.tables, keys(encoded, vocabulary)[1:], strict=True)], axis=1)


def cross_fitted(reviews: Reviews, vocabulary: int, penalty: float) -> Grams:
    """Fits the linear model once without each fold."""
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
    # Scaled to a deviation of one, so that they are of the size of a vector's components.
    scales = [1 / max(float(beside[:, kind].std()), 1e-6) for kind in (0, 1)]
    tables = tuple(
        table(kinds[kind].known, mean[borders[kind] : borders[kind + 1]] * scales[kind - 1], ROWS[kind - 1]) for kind in (1, 2)
    )
    # What trains is rounded like what is read later.
    beside = [in_8_bits(beside[:, kind] * scales[kind], one.scale) * one.scale for kind, one in enumerate(tables)]
    return Grams(tables, np.stack(beside, axis=1).astype(np.float32), odds)
