"""geotools.inference.footprint: sizes of maps against sizes of blocks."""

import numpy as np
import pytest

from geotools.errors import ModelError
from geotools.inference.footprint import footprint_of

SIZES = {
    "cell on cell": ((64, 48), (64, 48), 1, 1, (0, 0), 0),
    "a border less": ((512, 512), (484, 484), 1, 1, (14, 14), 14),
    "an uneven border": ((64, 64), (61, 60), 1, 1, (1, 2), 2),
    "twice as fine": ((64, 64), (128, 128), 2, 1, (0, 0), 0),
    "twice as fine, a border less": ((64, 64), (116, 116), 2, 1, (6, 6), 3),
    "a fourth": ((512, 256), (128, 64), 1, 4, (0, 0), 0),
    "one cell": ((224, 224), (1, 1), 1, 224, (0, 0), 0),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_tell_the_factor(name):
    """Factors are whole; what is missing is missing on all sides."""
    side, inner, finer, coarser, offset, cut = SIZES[name]
    found = footprint_of(side, inner)
    assert (found.finer, found.coarser, found.offset, found.cut) == (finer, coarser, offset, cut)
    assert found.is_tile == (inner == (1, 1))
    planes = np.ones((2, *inner), np.float32)
    placed = found.place(planes, side)
    assert placed.shape[1:] == tuple(size * finer // coarser for size in side)
    rows, cols = np.nonzero(np.isfinite(placed[0]))
    assert (rows.min(), cols.min()) == offset
    assert (np.ptp(rows) + 1, np.ptp(cols) + 1) == inner


NO_MAPS = {
    "boxes": ((640, 640), (84, 8400), "boxes of a detector"),
    "few boxes": ((640, 640), (300, 6), "boxes of a detector"),
    "two factors": ((64, 64), (128, 192), "finer by one whole factor"),
    "too fine": ((64, 64), (2048, 2048), "finer by one whole factor"),
    "another shape": ((64, 128), (32, 32), "coarser by one whole factor"),
    "a vector of a block that is no square": ((224, 112), (1, 1), "coarser by one whole"),
    "nothing": ((64, 64), (0, 64), "no map"),
    "next to nothing": ((20, 20), (12, 12), "too little"),
}


@pytest.mark.parametrize("name", NO_MAPS)
def test_sizes_that_are_no_map(name):
    """One sentence each."""
    side, inner, words = NO_MAPS[name]
    with pytest.raises(ModelError, match=words):
        footprint_of(side, inner)


def test_a_map_that_grows_otherwise_is_refused():
    """A block of another size has to lack the same border."""
    found = footprint_of((64, 64), (60, 60))
    assert found.place(np.zeros((1, 92, 28), np.float32), (96, 32)).shape == (1, 96, 32)
    with pytest.raises(ModelError, match="90 x 28 cells for 96 x 32"):
        found.place(np.zeros((1, 90, 28), np.float32), (96, 32))
