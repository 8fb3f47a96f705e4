"""Polygons as well-known binary, straight from arrays of corners.

The format is that of OGC 06-103r4, section 8.2, with the least significant byte first.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["polygons_as_wkb"]

_WORDS_OF_CORNER = 4
"""Words of 32 bits: two float64."""

_HEAD = 3
"""Words before the rings of a polygon: byte order, type, number of rings. The byte order is one
byte, the last of its word, so that all that follows is on whole words."""

_LITTLE_ENDIAN = 1 << 24
_POLYGON = 3


def polygons_as_wkb(
    coords: NDArray[np.float64], ring_offsets: NDArray[np.int64], part_offsets: NDArray[np.int64]
) -> NDArray[Any]:
    """(polygons,) objects, bytes each.

    Args:
        coords: (corners, 2), x and y; every ring ends with its first corner.
        ring_offsets: (rings + 1,), from 0, where each ring begins in `coords`.
        part_offsets: (polygons + 1,), from 0, where each polygon begins in the rings.
    """
    rings, polygons = ring_offsets.size - 1, part_offsets.size - 1
    rings_of = np.diff(part_offsets)
    # Before a ring's number of corners: the heads of its polygon and those before, a word for
    # each ring before, the corners before.
    of_ring = np.repeat(np.arange(1, polygons + 1), rings_of)
    counts = _HEAD * of_ring + np.arange(rings) + _WORDS_OF_CORNER * ring_offsets[:-1]
    starts = _HEAD * np.arange(polygons + 1) + part_offsets
    starts += _WORDS_OF_CORNER * ring_offsets[part_offsets]
    words = np.empty(int(starts[-1]), "<u4")
    is_corner = np.ones(words.size, np.bool_)
    for offset, value in enumerate((_LITTLE_ENDIAN, _POLYGON, rings_of)):
        words[starts[:-1] + offset] = value
        is_corner[starts[:-1] + offset] = False
    words[counts] = np.diff(ring_offsets)
    is_corner[counts] = False
    words[is_corner] = np.ascontiguousarray(coords, "<f8").view("<u4").ravel()
    content = words.tobytes()
    ends = (4 * starts).tolist()  # bytes
    found = np.empty(polygons, object)
    found[:] = [content[a + 3 : b] for a, b in itertools.pairwise(ends)]
    return found
