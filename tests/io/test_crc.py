"""geotools.io.crc."""

import zlib

import numpy as np
import pytest

from geotools.io.crc import crc32, joined_crc32

DATA = np.random.default_rng(0).integers(0, 256, 100_000, np.uint8).tobytes()


@pytest.mark.parametrize("size", [0, 1, 7, 255, 4097, len(DATA)])
def test_it_is_the_crc_of_zlib(size):
    """Of bytes and of what goes on from an earlier number, whatever the length."""
    assert crc32(DATA[:size]) == zlib.crc32(DATA[:size])
    assert crc32(DATA[:size], 0xDEADBEEF) == zlib.crc32(DATA[:size], 0xDEADBEEF)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_cells_count_as_their_bytes(dtype):
    """Whatever shape the array has, empty ones too; one cell more or less shows."""
    cells = (np.arange(6000) % 251).astype(dtype).reshape(3, 20, 100)
    assert crc32(cells) == crc32(cells.reshape(-1)) == zlib.crc32(cells.tobytes())
    assert crc32(cells[:0]) == 0
    cells[1, 5, 7] += 1
    assert crc32(cells) != crc32(cells - 1)


@pytest.mark.parametrize("at", [0, 1, 7, 4096, 65_537, len(DATA) - 1, len(DATA)])
def test_pieces_give_what_zlib_gives_of_the_whole(at):
    """Wherever it was cut, and be one of them empty."""
    first, second = zlib.crc32(DATA[:at]), zlib.crc32(DATA[at:])
    assert joined_crc32(first, second, len(DATA) - at) == zlib.crc32(DATA)


def test_many_pieces_and_gaps_of_zeros():
    """One after the other, from nothing on."""
    whole, found = b"", 0
    for length in (0, 1, 1000, 0, 4096, 4096, 12_345):
        for piece in (DATA[:length], bytes(length)):
            whole += piece
            found = joined_crc32(found, zlib.crc32(piece), length)
    assert found == zlib.crc32(whole)


def test_a_known_value():
    """The check value of the CRC-32 catalogue, from two halves; a length beyond 32 bits."""
    assert joined_crc32(zlib.crc32(b"1234"), zlib.crc32(b"56789"), 5) == 0xCBF43926
    half = joined_crc32(zlib.crc32(b"a"), 0, 2**34)
    assert joined_crc32(half, 0, 2**34) == joined_crc32(zlib.crc32(b"a"), 0, 2**35)
