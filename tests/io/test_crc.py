"""geotools.io.crc."""

import zlib

import numpy as np
import pytest

from geotools.io.crc import joined_crc32

DATA = np.random.default_rng(0).integers(0, 256, 100_000, np.uint8).tobytes()


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
