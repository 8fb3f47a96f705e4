"""palette_png: a picture of few colours as the bytes of a PNG, pixel for pixel.

PNG (ISO/IEC 15948) of colour type 3: one byte a pixel and a table of colours.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["palette_png"]


def palette_png(index: NDArray[np.uint8], colours: Sequence[tuple[int, int, int, int]]) -> bytes:
    """The bytes of a PNG.

    Args:
        index: (rows, cols) uint8, which colour.
        colours: at most 256 of red, green, blue and opacity, 0 to 255.
    """
    rows, cols = index.shape
    lines = b"".join(b"\0" + row.tobytes() for row in index)  # each begins with its filter: none
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes(colour[:3]) for colour in colours)),
            _chunk(b"tRNS", bytes(colour[3] for colour in colours)),
            _chunk(b"IDAT", zlib.compress(lines, 6)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
