"""geotools.io.checksum."""

import numpy as np
import pytest

from geotools.io.checksum import checksum


@pytest.mark.parametrize("size", [0, 1, 7, 1023, 1024, 5000, 2**20])
def test_any_changed_byte_is_seen(size):
    """A single change alters the checksum, wherever it is; a copy has the same."""
    cells = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    expected = checksum(cells)
    assert checksum(cells.copy()) == expected
    for place in {0, size // 3, size // 2, size - 1} if size else ():
        changed = cells.copy()
        changed[place] ^= 1
        assert checksum(changed) != expected


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_what_disks_do_is_seen(dtype):
    """Blocks of 1 kB to 1 MB that are swapped, zeroed, repeated or shifted alter the checksum."""
    rng = np.random.default_rng(0)
    cells = (rng.random((4, 512, 512)) * 200).astype(dtype)
    expected = checksum(cells)
    for size in (2**10, 2**12, 2**16, 2**18):
        for first, second in ((0, 1), (1, 3)):
            data = bytearray(cells.tobytes())
            a, b = (slice(n * size, (n + 1) * size) for n in (first, second))
            swapped, zeroed, repeated = (bytearray(data) for _ in range(3))
            swapped[a], swapped[b] = data[b], data[a]
            zeroed[a] = bytes(size)
            repeated[a] = data[b]
            shifted = data[size:] + data[:size]
            for other in (swapped, zeroed, repeated, shifted):
                assert checksum(np.frombuffer(bytes(other), dtype)) != expected


def test_the_shape_does_not_count():
    """The checksum is one of bytes in their order."""
    cells = np.arange(6000, dtype=np.float32)
    assert checksum(cells.reshape(3, 20, 100)) == checksum(cells)
