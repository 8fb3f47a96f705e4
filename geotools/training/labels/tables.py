"""read_table: the rows of a table as labelled cells with their features.

What becomes of text: in the target it names classes, in categories it gets codes, in other
features it is refused, and columns of it that nobody named are left out with a warning. Nothing
here needs what training needs, so that tables can be read where models are only run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, FileError, LabelsError
from geotools.io.geotiff import parse_crs
from geotools.io.tables import as_codes, column_names, numbers, read_columns, texts
from geotools.spec import ClassInfo
from geotools.training.labels.cells import Cells
from geotools.training.labels.classes import (
    FEWEST,
    MAX_CLASSES,
    check_counts,
    class_infos,
    in_order,
)
from geotools.training.labels.columns import choose_features
from geotools.training.labels.dates import days
from geotools.training.labels.unmatched import missing_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import Series

    from geotools.training.config import TrainConfig
    from geotools.training.sections import TableConfig

__all__ = ["Table", "read_features", "read_table"]

_MAX_CODES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of a table that can be learned from."""

    cells: Cells
    """One for each row; `row` is its number in the file, from 0."""
    rows: NDArray[np.float32]
    """(n, features), NaN where nothing is written."""
    features: tuple[str, ...]
    """Names of the columns."""
    categories: dict[int, tuple[int, ...]]
    """Index of a feature that holds codes -> its codes."""
    words: dict[str, tuple[str, ...]]
    """Feature whose codes stand for texts -> the texts of the codes 1, 2, …"""
    classes: tuple[ClassInfo, ...]
    """The classes, codes 1, 2, … in the order of `Cells.target`; empty for values."""
    groups: tuple[str, ...]
    """Names of the groups in the order of `Cells.group`."""
    crs: Any
    """rasterio.crs.CRS of the places; None without places."""
    dropped: int
    """Rows of the file without a target, a place where there are places, or any feature."""


def read_table(
    config: TrainConfig, find: Callable[[str], Path], *, warn: Callable[[str], None] | None = None
) -> Table:
    """The rows of the configuration's table.

    Args:
        config: with `table`.
        find: the file that a path of the configuration means.
        warn: takes sentences on what is odd but can be used.

    Raises:
        FileError: a file that cannot be read, a column that is not there.
        MissingExtraError: Parquet without pyarrow.
        ConfigError: columns that do not go together.
        LabelsError: text where numbers belong; nothing can be learned from it.
    """
    table = config.table
    if table is None:
        raise ConfigError("There is no table: give [table].")
    file = find(table.path)
    named = [table.target, *(one for one in (table.group, table.time, table.x, table.y) if one)]
    if (table.x is None) != (table.y is None):
        raise ConfigError("[table] has one of x and y: give both, or none.")
    if table.x is not None and table.crs is None:
        raise ConfigError(
            "[table] has x and y but no crs: name that of the places, such as EPSG:32633."
        )
    columns = read_columns(file, [*named, *_asked(table, file)])
    tell = warn or _ignore
    features = choose_features(table, columns, named, file, tell)
    words = {name: found for name in table.categories if (found := _words(columns[name], file))}
    rows = _numbers(columns, features, words, file)
    values = config.task == "regression"
    target, infos = (
        (_values(columns[table.target], file), ()) if values else _classes(columns[table.target])
    )
    has_target = np.isfinite(target) if values else target >= 0
    x, y, crs = _places(table, columns, file)
    keep = has_target & np.isfinite(rows).any(axis=1)
    if crs is not None:
        keep &= np.isfinite(x) & np.isfinite(y)
    dropped = int(np.count_nonzero(~keep))
    if dropped:
        without = "a target, a place or" if crs is not None else "a target or"
        tell(f"{file.name}: {dropped} rows without {without} any feature are left out.")
    for sentence in missing_words(
        file.name, f"the column {table.target!r}", [info.name for info in infos]
    ):
        tell(sentence)
    _check_target(file, target[keep], infos)
    group, groups = _groups(table, columns)
    time = np.full(len(keep), np.nan)
    if table.time is not None:
        time = days(columns[table.time], file.name)
    number = np.flatnonzero(keep).astype(np.int32)
    zero = np.zeros(len(number), np.int32)
    cells = Cells(zero, number, zero, target[keep], group[keep], x[keep], y[keep], time[keep])
    rows = rows[keep]
    categories = {
        features.index(name): _codes(rows[:, features.index(name)], name, file)
        for name in table.categories
    }
    return Table(cells, rows, features, categories, words, infos, groups, crs, dropped)


def read_features(path: Path, features: Sequence[str]) -> NDArray[np.float32]:
    """(rows, features) float32: these columns of a table, NaN where nothing is written.

    Raises:
        FileError: as `geotools.io.tables.read_columns`; text where numbers belong.
        MissingExtraError: Parquet without pyarrow.
    """
    columns = read_columns(path, features)
    arrays = [numbers(columns[name], path) for name in features]
    return np.stack(arrays, axis=1).astype(np.float32)


def _asked(table: TableConfig, file: Path) -> list[str]:
    """Columns to read as features; all when none are named."""
    if table.features is None:
        return column_names(file)
    return [*table.features, *table.categories]


def _numbers(
    columns: dict[str, Series],
    features: Sequence[str],
    words: Mapping[str, tuple[str, ...]],
    file: Path,
) -> NDArray[np.float32]:
    """(rows, features)."""
    rows = np.empty((len(columns[features[0]]), len(features)), np.float32)
    for index, name in enumerate(features):
        if name in words:
            rows[:, index], _ = as_codes(columns[name], words[name])
            continue
        try:
            found = numbers(columns[name], file.name)
        except FileError as error:
            raise LabelsError(
                f"{str(error).removesuffix('.')}, or name it in categories if its texts are kinds."
            ) from None
        rows[:, index] = np.where(np.isfinite(found), found, np.nan)
    return rows


def _words(column: Series, file: Path) -> tuple[str, ...]:
    """The texts of a column of kinds, in order; none where it holds numbers alone."""
    try:
        numbers(column, file.name)
    except FileError:
        found = in_order(sorted({word for word in texts(column) if word is not None}))
        if len(found) > _MAX_CODES:
            raise LabelsError(
                f"{file.name}: {column.name!r} is named in categories and has {len(found)} texts, "
                f"at most {_MAX_CODES} can be learned from: take it out, or merge some."
            ) from None
        return tuple(found)
    return ()


def _ignore(_: str) -> None:
    """Nothing."""


def _values(column: Series, file: Path) -> NDArray[np.float32]:
    try:
        return numbers(column, file.name).astype(np.float32)
    except FileError as error:
        raise LabelsError(str(error)) from None


def _classes(column: Series) -> tuple[NDArray[np.int16], tuple[ClassInfo, ...]]:
    """(rows,) index of the class, -1 for none."""
    words = texts(column)
    there = {word for word in words if word is not None}
    if len(there) > MAX_CLASSES:
        raise LabelsError(
            f"The column {column.name!r} has {len(there)} different values, at most {MAX_CLASSES} "
            'classes can be learned: for quantities set task = "regression".'
        )
    names = in_order(sorted(there))
    number = {name: index for index, name in enumerate(names)}
    target = np.array([number.get(word, -1) for word in words], np.int16)
    return target, class_infos(names)


def _check_target(
    file: Path, target: NDArray[np.int16] | NDArray[np.float32], infos: Sequence[ClassInfo]
) -> None:
    if target.dtype.kind == "i":
        check_counts(infos, np.bincount(target, minlength=len(infos)).tolist(), "rows")
        return
    if len(target) < FEWEST:
        raise LabelsError(
            f"{file.name} has {len(target)} rows with a target and features, needed are {FEWEST}."
        )
    if target.min() == target.max():
        raise LabelsError(
            f"{file.name}: the target is {target[0]:g} in all rows: there is nothing to learn."
        )


def _places(
    table: TableConfig, columns: dict[str, Series], file: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64], Any]:
    if table.x is None or table.y is None or table.crs is None:
        nowhere = np.full(len(columns[table.target]), np.nan)
        return nowhere, nowhere, None
    x, y = numbers(columns[table.x], file), numbers(columns[table.y], file)
    crs = parse_crs(table.crs)
    if crs.is_geographic and (np.abs(y) > np.pi / 2 / float(crs.units_factor[1]) + 1e-9).any():
        raise LabelsError(
            f"{file.name}: {table.y!r} holds no latitudes: name the CRS of the places with crs."
        )
    return x, y, crs


def _groups(
    table: TableConfig, columns: dict[str, Series]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    if table.group is None:
        return np.full(len(columns[table.target]), -1, np.int32), ()
    words = texts(columns[table.group])
    groups = in_order(sorted({word for word in words if word is not None}))
    number = {name: index for index, name in enumerate(groups)}
    return np.array([number.get(word, -1) for word in words], np.int32), tuple(groups)


def _codes(column: NDArray[np.float32], name: str, file: Path) -> tuple[int, ...]:
    """The codes in a column."""
    found = np.unique(column[np.isfinite(column)])
    if (found != np.round(found)).any() or len(found) > _MAX_CODES:
        raise LabelsError(
            f"{file.name}: {name!r} is named in categories but holds no codes, whole numbers of at "
            f"most {_MAX_CODES} kinds: take it out of categories."
        )
    return tuple(int(code) for code in found)
