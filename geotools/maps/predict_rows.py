"""predict_table: what a model says of every row of a table, as columns beside the others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, GeotoolsError, MissingExtraError, ModelError
from geotools.io.atomic import write_atomic
from geotools.maps.inputs import FilePath, check_paths
from geotools.spec import ModelSpec
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from geotools.inference.predictor import Predictor

__all__ = ["TablePrediction", "is_table", "predict_table"]

_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
"""What is read as a table and never as a raster."""

_LISTED = 5
"""Kinds that a sentence lists at most."""

_CHUNK = 65_536
"""Rows that are computed, and written, at one time."""


@dataclass(frozen=True, slots=True)
class TablePrediction:
    """What `predict_table` has written."""

    path: Path
    """The table."""
    rows: int
    """Its rows."""
    counts: Mapping[str, int]
    """Rows of each class by its name; empty for values."""
    model: str
    """Name of the model."""
    seconds: float
    """Wall time."""


def is_table(path: FilePath) -> bool:
    """True when a file's name says that it is a table."""
    return os.fspath(path).lower().endswith(_ENDINGS)


def predict_table(
    model: Predictor | FilePath,
    table: FilePath,
    output: FilePath,
    *,
    probabilities: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> TablePrediction:
    """Writes a table with columns for what a model says of each row.

    Classes: `class`, the name, and `confidence`, its probability; values: `value`. Names that the
    table has already get `_predicted` appended. A row without a single feature gets nothing.

    Args:
        model: an `.onnx` file that was made from a table, or one in memory.
        table: CSV, TSV or Parquet with the model's columns.
        output: CSV, TSV or Parquet, as its name ends.
        probabilities: a column for each class too, `p_NAME`.
        overwrite: replace an output that exists.
        progress: called after every chunk of rows.
        warn: called with a sentence on kinds that the model has not learned.

    Raises:
        GeotoolsError: an input or an output that cannot be used; nothing has been written then.
    """
    from geotools.inference.opening import open_any
    from geotools.inference.rows import run_rows
    from geotools.io.tables import read_columns

    start = time.monotonic()
    opened = open_any(model) if isinstance(model, str | os.PathLike) else model
    spec = opened.spec
    _check_model(opened)
    target = check_paths(table, [output], overwrite)[0]
    if not target.name.lower().endswith(_ENDINGS) or target.suffix.lower() == ".gz":
        raise FileError(f"{target} is no name of a table: end it in .csv, .tsv or .parquet.")
    columns = read_columns(table)
    lacking = [name for name in spec.features if name not in columns]
    if lacking:
        raise GeotoolsError(
            f"{os.fspath(table)} lacks the columns {', '.join(lacking[:12])}: the model "
            f"{opened.file} takes {', '.join(spec.features[:40])}."
        )
    rows = np.stack(
        [_feature(spec, columns[name], table, warn) for name in spec.features], axis=1
    )  # (rows, features)
    found = np.full((len(rows), opened.channels), np.nan, np.float32)
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        known = np.isfinite(chunk).any(axis=1)
        found[first : first + _CHUNK][known] = run_rows(opened, chunk[known])
        if progress is not None:
            progress(Step("predicting", min(first + _CHUNK, len(rows)), len(rows)))
    added, counts = _columns(spec, found, probabilities)
    frame = _beside(columns, added)
    with write_atomic(target, overwrite=overwrite, verify=_Holds(len(frame))) as part:
        _write(frame, part)
    return TablePrediction(target, len(frame), counts, spec.name, time.monotonic() - start)


def _check_model(model: Predictor) -> None:
    spec = model.spec
    if spec.parameters.get("table") and not spec.sources and spec.features:
        return
    raise ModelError(
        f"The model {model.file} was not made from a table: give it rasters (`geotools info` says "
        "which)."
    )


def _feature(
    spec: ModelSpec, column: Series, table: FilePath, warn: Callable[[str], None] | None
) -> NDArray[np.float32]:
    """(rows,) a feature; NaN for texts that the model has not learned."""
    from geotools.io.tables import as_codes, numbers

    words, codes = (
        known if isinstance(known, list | tuple) else None
        for known in (_of(spec, "words", column.name), _of(spec, "codes", column.name))
    )
    strange: list[str]
    if words is not None:
        found, strange = as_codes(column, words)
        count = int(np.isnan(found).sum() - column.isna().sum())
        becomes = "taken as missing"
    else:
        found = numbers(column, table)
        odd = np.isfinite(found) & ~np.isin(found, codes if codes is not None else found)
        strange, count = [f"{code:g}" for code in np.unique(found[odd])], int(odd.sum())
        becomes = "taken as none of those that it knows"
    if strange and warn is not None:
        more = f" and {len(strange) - _LISTED} more" if len(strange) > _LISTED else ""
        warn(
            f"{os.fspath(table)}: {count:,} of {len(found):,} rows have kinds of {column.name!r} "
            f"that the model has not learned ({', '.join(strange[:_LISTED])}{more}): they are "
            f"{becomes}."
        )
    return found.astype(np.float32)


def _of(spec: ModelSpec, key: str, name: Any) -> Any:
    """What the spec says of the kinds of a feature; whatever a file may hold there."""
    found = spec.parameters.get(key)
    return found.get(name) if isinstance(found, Mapping) else None


def _columns(
    spec: ModelSpec, found: NDArray[np.float32], probabilities: bool
) -> tuple[dict[str, Any], dict[str, int]]:
    """New columns by name, and how many rows each class has."""
    output = spec.outputs[0]
    if output.kind == "values":
        if probabilities:
            raise ModelError(
                f"The model {spec.name} gives values, not classes: leave --probabilities out."
            )
        if found.shape[1] == 1:
            return {"value": found[:, 0]}, {}
        return {f"value_{n + 1}": found[:, n] for n in range(found.shape[1])}, {}
    known: NDArray[np.bool_] = np.asarray(np.isfinite(found).all(axis=1))
    index = np.where(known[:, None], found, 0).argmax(axis=1)
    names = np.array([info.name for info in output.classes], dtype=object)
    said = names[index]
    said[~known] = None
    highest = np.where(known, found[np.arange(len(found)), index], np.nan)
    columns: dict[str, Any] = {"class": said, "confidence": highest.astype(np.float32)}
    if probabilities:
        columns |= {f"p_{info.name}": found[:, n] for n, info in enumerate(output.classes)}
    counts = {info.name: int((index[known] == n).sum()) for n, info in enumerate(output.classes)}
    return columns, counts


def _beside(columns: Mapping[str, Any], added: Mapping[str, Any]) -> DataFrame:
    """The table with its new columns at the end."""
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    for name, values in added.items():
        while name in frame.columns:
            name = f"{name}_predicted"
        frame[name] = values
    return frame


def _write(frame: DataFrame, path: Path) -> None:
    if path.suffix.lower() == ".parquet":
        try:
            frame.to_parquet(path, index=False)
        except ImportError:
            raise MissingExtraError("pyarrow", "parquet") from None
        return
    mark = "\t" if path.suffix.lower() == ".tsv" else ","
    frame.to_csv(path, index=False, sep=mark, chunksize=_CHUNK, lineterminator="\n")


@dataclass(frozen=True, slots=True)
class _Holds:
    """A check that a written table has its rows."""

    rows: int

    def __call__(self, path: Path) -> None:
        from geotools.io.tables import column_names, read_columns

        names: Sequence[str] = column_names(path)
        if len(read_columns(path, names[-1:])[names[-1]]) != self.rows:
            raise FileError(f"{path.name} does not hold what was written: is the disk full?")
