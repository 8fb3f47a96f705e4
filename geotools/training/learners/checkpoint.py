"""Checkpoint: the state of a fit after each epoch, in a file that is always whole.

It holds tensors, numbers and text alone and is read as such: a file from elsewhere cannot run code.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from geotools.io.atomic import write_atomic

__all__ = ["Checkpoint", "digest_of", "generator_state", "restore_generator"]


class Checkpoint:
    """Where the state of one fit is kept; nowhere without a path."""

    def __init__(self, path: Path | None, digest: str) -> None:
        """
        Args:
            path: the file.
            digest: of all that shapes the fit; a file with another one is not taken.
        """
        self._path, self._digest = path, digest

    def load(self) -> dict[str, Any] | None:
        """The state, or None: there is no file, it is broken, or it belongs to another fit."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            state = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # whatever a broken file makes of the reader
            return None
        if not isinstance(state, dict) or state.get("digest") != self._digest:
            return None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replaces the file by this state."""
        if self._path is None:
            return
        with write_atomic(self._path, overwrite=True) as part:
            torch.save({**state, "digest": self._digest}, part)


_FORMAT = 1
"""Raised when another version would take the state otherwise: older files are then not taken."""


def digest_of(values: Any, arrays: list[NDArray[Any]]) -> str:
    """SHA-256 of plain values and of arrays, shapes and types included."""
    found = hashlib.sha256(json.dumps([_FORMAT, values], sort_keys=True, default=str).encode())
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def generator_state(rng: np.random.Generator) -> str:
    """The state of NumPy's generator as text."""
    return json.dumps(rng.bit_generator.state)


def restore_generator(rng: np.random.Generator, state: str) -> None:
    """Puts the generator back to a state."""
    rng.bit_generator.state = json.loads(state)
