"""compiled: numba's compiler as every loop of ours uses it; the one place that imports numba.

Importing it takes a third of a second, so modules that hold loops are imported when called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

__all__ = ["compiled"]

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def _can_keep() -> bool:
    """True when numba finds a place for compiled code: beside the module, or under the home."""
    try:
        njit(cache=True)(_nothing)
    except RuntimeError:  # a read-only installation, and no home that can be written to
        return False
    return True


def _nothing() -> int:
    return 0


_KEEP = _can_keep()


def compiled(**options: Any) -> Callable[[_Loop], _Loop]:
    """A decorator: machine code without Python's lock, kept on disk where that is possible.

    Args:
        options: further ones of `numba.njit`.
    """
    decorate: Callable[[_Loop], _Loop] = njit(nogil=True, cache=_KEEP, **options)
    return decorate
