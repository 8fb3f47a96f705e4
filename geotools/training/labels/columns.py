"""choose_features: which columns of a table are learned from, where nobody names them.

Left out, with a sentence: text and dates, places, and numbers of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ConfigError, FileError, LabelsError
from geotools.io.tables import numbers

if TYPE_CHECKING:
    from pandas import Series

    from geotools.training.sections import TableConfig

__all__ = ["choose_features"]

_LISTED = 5
"""Columns that a warning lists at most."""
_MOSTLY = 0.5
"""A column with more numbers than this share of what is written is one of numbers."""
_NO_FEATURES = {
    "lon", "lat", "longitude", "latitude", "lng", "long", "x", "y", "easting", "northing", "fid",
    "id", "index", "objectid", "ogc_fid",
}  # fmt: skip
"""Names of columns that say where a row is, or which, in lower case."""
_DENSE = 2
"""Whole numbers that are all different and no more than so many times as wide as there are rows
count the rows, as do those that rise or fall throughout."""
_FEW = 10
"""Rows of which it cannot be told."""


def choose_features(
    table: TableConfig,
    columns: dict[str, Series],
    named: Sequence[str],
    file: Path,
    warn: Callable[[str], None],
) -> tuple[str, ...]:
    """Names of the features in their order.

    Args:
        table: the configuration.
        columns: those of the table.
        named: columns that are something else.
        file: the table.
        warn: called with a sentence on columns that are left out.

    Raises:
        ConfigError: names that do not go together, or nothing is left.
        LabelsError: a column of numbers with some text.
    """
    for name in table.categories:
        if table.features is not None and name not in table.features:
            raise ConfigError(f"[table]: categories names {name!r}, which is not in features.")
    if table.features is not None:
        if table.target in table.features:
            raise ConfigError(f"[table]: the target {table.target!r} is among the features.")
        return table.features
    usable = [
        name
        for name, column in columns.items()
        if name not in named and (name in table.categories or _is_numbers(column, file))
    ]
    text = [name for name in columns if name not in named and name not in usable]
    _warn_of_text(file, [name for name in text if columns[name].notna().any()], warn)
    odd = [
        name
        for name in usable
        if name not in table.categories
        and (name.strip().lower() in _NO_FEATURES or _is_count(columns[name]))
    ]
    _warn_of_places(file, odd, warn)
    found = tuple(name for name in usable if name not in odd)
    if not found:
        raise ConfigError(
            f"{table.path} has no column of numbers beside the target {table.target!r} that is no "
            "place and no number of the row: name the columns to learn from with features."
        )
    return found


def _is_numbers(column: Series, file: Path) -> bool:
    """True for a column of numbers, False for one of text or dates.

    Raises:
        LabelsError: a column of numbers with some text.
    """
    if column.dtype.kind in "iufb":
        return True
    if column.dtype.kind == "M":
        return False
    import pandas as pd

    written = int(column.notna().sum())
    found = int(pd.to_numeric(column, errors="coerce").notna().sum())
    if not written or found <= _MOSTLY * written:
        return False
    try:
        numbers(column, file.name)
    except FileError as error:
        raise LabelsError(
            str(error).replace("leave the column out", "name the others with features")
        ) from None
    return True


def _warn_of_text(file: Path, unused: Sequence[str], warn: Callable[[str], None]) -> None:
    """Says which columns are not learned from."""
    if not unused:
        return
    listed = _listed(unused)
    one = len(unused) == 1
    warn(
        f"{file.name}: the column{'' if one else 's'} {listed} {'is' if one else 'are'} not "
        f"learned from, because {'it holds' if one else 'they hold'} text or dates: to learn from "
        f"{'it' if one else 'them'} as kinds, name {'it' if one else 'them'} in categories."
    )


def _is_count(column: Series) -> bool:
    """True for whole numbers that seem to count the rows."""
    if column.dtype.kind not in "iu" or len(column) < _FEW:
        return False
    values = column.to_numpy().astype(np.float64)
    if len(np.unique(values)) < len(values):
        return False
    step = np.diff(values)
    return bool(np.ptp(values) < _DENSE * len(values) or (step > 0).all() or (step < 0).all())


def _warn_of_places(file: Path, odd: Sequence[str], warn: Callable[[str], None]) -> None:
    """Says which columns of numbers are not learned from."""
    if odd:
        warn(
            f"{file.name}: not learned from {'is' if len(odd) == 1 else 'are'} {_listed(odd)}, "
            "places or numbers of the rows as it seems: to learn from them all the same, name the "
            "columns in features; to keep places apart in the split, name them as x, y and crs."
        )


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(map(repr, names[:_LISTED])) + (f" and {rest} more" if rest > 0 else "")
