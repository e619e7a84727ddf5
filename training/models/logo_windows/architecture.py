"""The talk's network as a list of layers, and how pixels are normalised. Needs NumPy and Pillow only."""

from __future__ import annotations

from ...pictures.crops.window import HEIGHT, STRIDE, WIDTH

LABELS = ("other", "vmware")
# Pixels are centred at the grey that is outside a picture (`window.FILL`) and divided by this.
PIXEL_SCALE = 64.0
# Name, outputs, kernel (height, width), and whether a 2x2 max-pool follows.
LAYERS = (
    ("conv_1", 64, (4, 4), False),
    ("conv_2", 64, (4, 4), True),
    ("conv_3", 96, (4, 4), False),
    ("conv_4", 96, (4, 4), False),
    ("conv_5", 128, (3, 3), False),
    ("conv_6", 128, (3, 3), False),
    ("conv_7", 256, (2, 2), False),
    ("conv_8", 256, (2, 2), True),
    ("dense_1", 1024, (5, 18), False),
    ("dense_2", 1024, (1, 1), False),
    ("output", len(LABELS), (1, 1), False),
)
FIRST_DENSE, OUTPUT = "dense_1", "output"
DROPOUT_AFTER = ("dense_1", "dense_2")
DROPOUT = 0.2


def map_size(width: int, height: int) -> tuple[int, int]:
    """Rows and columns of the score map of a picture, which must hold at least one window."""
    if width < WIDTH or height < HEIGHT:
        raise ValueError(f"{width} x {height} pixels are smaller than a window of {WIDTH} x {HEIGHT}")
    # Each pooling halves and drops an odd remainder, so windows start at multiples of the stride.
    return (height - HEIGHT) // STRIDE + 1, (width - WIDTH) // STRIDE + 1
