"""Columns of events as float64 arrays that fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMITS = {"latitude": 90.0, "magnitude": 11.0}
"""Beyond these nothing is a latitude, and no earthquake fits on the Earth."""


def checked_columns(**columns: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """The columns as float64, in the order given; NaN is kept.

    Raises:
        EventsError: they are not one-dimensional and of one length, or a latitude or magnitude
            cannot be.
    """
    found = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    shapes = {name: values.shape for name, values in found.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise EventsError(f"Events have arrays of shapes {shapes}: give one value per event.")
    for name, limit in _LIMITS.items():
        values = found.get(name)
        if values is not None and (np.abs(values) > limit).any():
            row = int(np.flatnonzero(np.abs(values) > limit)[0])
            raise EventsError(
                f"Event {row} has {name} {values[row]:g}: at most {limit:g} can be; leave it out."
            )
    return list(found.values())
