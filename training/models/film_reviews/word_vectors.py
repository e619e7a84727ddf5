"""Initial word vectors of 300 values: 200 from the sentiment model, 100 from the reviews.

The 100: singular vectors of the positive pointwise mutual information of words at most five apart, each scaled by
the square root of its singular value (Levy, Goldberg and Dagan, "Improving Distributional Similarity with Lessons Learned
from Word Embeddings", TACL 2015), by randomized SVD (Halko, Martinsson and Tropp, 2011).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from scipy import sparse
from tokenizers import Tokenizer

from ...text.batches import Encoded
from ...text.tokenizer import CONTINUATION, load_tokenizer

WINDOW = 5
DEVIATION = 0.3  # standard deviation of the components


def of_sentiment_model(folder: Path) -> tuple[Tokenizer, np.ndarray]:
    """Tokenizer and vectors float32 [pieces, 200] of a published sentiment model."""
    stored = {tensor.name: tensor for tensor in onnx.load(folder / "model.onnx").graph.initializer}
    if "embedding_half" in stored:
        vectors = numpy_helper.to_array(stored["embedding_half"]).astype(np.float32)
    else:
        vectors = numpy_helper.to_array(stored["embedding_numbers"]) * numpy_helper.to_array(stored["embedding_scales"])
    return load_tokenizer(folder / "tokenizer.json"), vectors


def carried_over(tokenizer: Tokenizer, other: Tokenizer, vectors: np.ndarray) -> np.ndarray:
    """Vectors of `tokenizer`'s pieces: those of the same piece in the other model, or the mean of the pieces that it splits into."""
    pieces = other.get_vocab()
    result = np.zeros((tokenizer.get_vocab_size(), vectors.shape[1]), dtype=np.float32)
    for piece, index in tokenizer.get_vocab().items():
        spelled = [pieces[piece]] if piece in pieces else other.encode(piece.removeprefix(CONTINUATION)).ids
        if spelled:
            result[index] = vectors[spelled].mean(axis=0)
    return result * np.float32(DEVIATION / result.std())


def of_neighbours(encoded: Encoded, vocabulary: int, dimensions: int, seed: int) -> np.ndarray:
    """Vectors float32 [vocabulary, dimensions] from word co-occurrence; a neighbour at distance n counts 1/n."""
    text = np.repeat(np.arange(len(encoded)), encoded.lengths())
    ids = encoded.ids.astype(np.int64)
    counts = sparse.csr_array((vocabulary, vocabulary), dtype=np.float32)
    for off in range(1, WINDOW + 1):
        together = text[off:] == text[:-off]
        pairs, seen = np.unique(ids[:-off][together] * vocabulary + ids[off:][together], return_counts=True)
        counts += sparse.csr_array(((seen / off).astype(np.float32), np.divmod(pairs, vocabulary)), shape=(vocabulary, vocabulary))
    counts = (counts + counts.T).tocoo()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    contexts = totals**0.75
    information = np.log(counts.data / (totals[counts.row] * contexts[counts.col] / contexts.sum()))
    matrix = sparse.csr_array((np.maximum(information, 0).astype(np.float32), (counts.row, counts.col)), shape=counts.shape)
    generator = np.random.default_rng(seed)
    basis = matrix @ generator.standard_normal((vocabulary, dimensions + 20)).astype(np.float32)
    for _ in range(3):
        basis = matrix @ (matrix.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    left, sizes, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    vectors = (basis @ left)[:, :dimensions] * np.sqrt(sizes[:dimensions])
    return (vectors * (DEVIATION / vectors.std())).astype(np.float32)


def first_vectors(tokenizer: Tokenizer, encoded: Encoded, sentiment: Path, dimensions: int, seed: int) -> np.ndarray:
    """Initial vectors float32 [vocabulary, dimensions]; the pad's is zero."""
    carried = carried_over(tokenizer, *of_sentiment_model(sentiment))
    own = of_neighbours(encoded, len(carried), dimensions - carried.shape[1], seed)
    vectors = np.concatenate([carried, own], axis=1)
    vectors[0] = 0
    return vectors
