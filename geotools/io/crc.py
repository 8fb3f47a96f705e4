"""CRC-32: of cells, and of a whole file out of those of its parts that several threads have read.

The CRC is that of zlib, zip and gzip, so that any of their tools finds the same number. That of
zlib-ng, which folds the data by the processor's products without carry, is taken some twenty times
as fast. Nothing is read here.
"""

from __future__ import annotations

from functools import lru_cache

from zlib_ng.zlib_ng import crc32

__all__ = ["crc32", "joined_crc32"]

_POLYNOMIAL = 0xEDB88320
"""Of IEEE 802.3 less its highest power: the highest bit stands for x^0, the lowest for x^31."""

_ONE, _X = 1 << 31, 1 << 30
"""x^0 and x^1."""


def joined_crc32(first: int, second: int, length: int) -> int:
    """The CRC-32 of two pieces of data, one behind the other, as `zlib.crc32` gives it of both.

    A CRC is a remainder of a division of polynomials whose coefficients are bits; `length` bytes
    behind a piece multiply its own by x^(8 length), and the other is added. As zlib's
    crc32_combine (Adler, crc32.c since 1.2.12).

    Args:
        first, second: their CRC-32.
        length: bytes of the second.
    """
    return _product(_shift(length), first) ^ second


@lru_cache(maxsize=64)  # blocks of a file have one length
def _shift(length: int) -> int:
    """x^(8 length), by squaring."""
    power, factor, exponent = _ONE, _X, 8 * length
    while exponent:
        if exponent & 1:
            power = _product(power, factor)
        factor = _product(factor, factor)
        exponent >>= 1
    return power


def _product(first: int, second: int) -> int:
    """Product of two polynomials, modulo the one of the CRC."""
    product = 0
    for bit in range(31, -1, -1):  # from x^0 of the first on
        if first >> bit & 1:
            product ^= second
        second = second >> 1 ^ (_POLYNOMIAL if second & 1 else 0)  # times x
    return product
