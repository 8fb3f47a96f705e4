"""read_columns: columns of a CSV (also .gz), TSV or Parquet file as arrays, nothing evaluated.

What the columns mean is said by who asks for them; a column of numbers holds numbers alone.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

__all__ = ["TABLE_ENDINGS", "as_codes", "column_names", "numbers", "read_columns", "texts"]

TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")

_HEAD_BYTES = 2**20
_CHUNK_ROWS = 200_000
_MAX_ROWS = 50_000_000
_DELIMITERS = ",\t;|"
_UNKNOWN = "backslashreplace"
"""Bytes that are no letter stay apart from each other."""
_LISTED = 40
"""Names that a message lists at most."""


def read_columns(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None
) -> dict[str, Series]:
    """The columns of a table by name, in the order asked for; as many rows each.

    Args:
        path: the file; what it is is told by its ending.
        columns: names; all when None.

    Raises:
        FileError: no such file or column, no header, no row, not a table, too many rows.
        MissingExtraError: Parquet without pyarrow.
    """
    file = Path(path)
    names = column_names(file)
    wanted = list(dict.fromkeys(names if columns is None else columns))
    for name in wanted:
        if name not in names:
            raise FileError(f"{file} has no column {name!r}: {_near(name, names)}.")
    frame = _read_parquet(file, wanted) if _ending(file) == ".parquet" else _read_text(file, wanted)
    if len(frame) == 0:
        raise FileError(f"{file} has a header but no row: name another table.")
    return {name: frame[name] for name in wanted}


def column_names(path: str | os.PathLike[str]) -> list[str]:
    """The names of a table's columns.

    Raises:
        FileError, MissingExtraError: as `read_columns`.
    """
    file = Path(path)
    if not file.is_file():
        raise FileError(f"{file} does not exist, or is a folder: name a table.")
    if _ending(file) not in TABLE_ENDINGS:
        raise FileError(f"{file} ends in none of {', '.join(TABLE_ENDINGS)}: name a table.")
    if _ending(file) == ".parquet":
        return [str(name) for name in _parquet(file).schema_arrow.names]
    names, _ = _header(file)
    return names


def numbers(series: Series, path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """(rows,) float64: a column of numbers, NaN where nothing is written.

    Raises:
        FileError: a text that is no number; the message has its row.
    """
    import pandas as pd

    if series.dtype.kind in "iufb":
        return np.asarray(series.to_numpy(np.float64, na_value=np.nan))
    found = pd.to_numeric(series, errors="coerce")
    wrong = (found.isna() & series.notna()).to_numpy()
    if series.dtype.kind == "M":
        wrong = series.notna().to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise FileError(
            f"{path}: column {series.name!r} has {str(series.iloc[row])[:40]!r} in row {row + 1}, "
            "where a number belongs: mend it, or leave the column out."
        )
    return np.asarray(found.to_numpy(np.float64, na_value=np.nan))


def texts(series: Series) -> NDArray[np.object_]:
    """(rows,) str or None: a column as text; whole numbers without a decimal point."""
    missing = series.isna().to_numpy()
    if series.dtype.kind == "f":
        values = series.to_numpy()
        words = [f"{value:.0f}" if float(value).is_integer() else f"{value:g}" for value in values]
    else:
        words = [str(value).strip() for value in series]
    return np.array(
        [None if gone or not word else word for word, gone in zip(words, missing, strict=True)],
        dtype=object,
    )


def as_codes(series: Series, words: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """(rows,) float64: a column of texts as codes, and the texts that have none.

    Args:
        series: the column.
        words: the texts of the codes 1, 2, …; NaN for others, and where nothing is written.
    """
    code = {word: number for number, word in enumerate(words, 1)}
    found = texts(series)
    strange = sorted({word for word in found if word is not None} - set(code))
    return np.array([code.get(word, np.nan) for word in found], np.float64), strange


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 2, 0.6)
    lower = [one for one in names if one.lower() == name.lower()]
    near = list(dict.fromkeys([*lower, *near]))
    hint = f"did you mean {' or '.join(map(repr, near))}? It" if near else "it"
    more = ", …" if len(names) > _LISTED else ""
    return f"{hint} has {', '.join(one[:40] for one in names[:_LISTED])}{more}"


def _ending(file: Path) -> str:
    name = file.name.lower()
    return (
        file.suffixes[-2].lower() + ".gz"
        if name.endswith(".gz") and len(file.suffixes) > 1
        else file.suffix.lower()
    )


def _open(file: Path) -> Any:
    return gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb")


def _encoding(file: Path) -> str:
    """UTF-8 where all of the file is that, else Windows-1252, which spreadsheets write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _open(file) as stream:
        while piece := stream.read(_HEAD_BYTES):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                return "cp1252"
    return "utf-8-sig"


def _header(file: Path) -> tuple[list[str], str]:
    """Names of the columns, and the delimiter: that which gives the most names."""
    try:
        with _open(file) as stream:
            head = stream.read(_HEAD_BYTES)
        encoding = "utf-8-sig" if head.isascii() else _encoding(file)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{file} cannot be read ({error}): check it.") from None
    if b"\0" in head:
        raise FileError(f"{file} is not a table of text: give CSV, TSV or Parquet.")
    line = head.decode(encoding, _UNKNOWN).lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    if not line.strip() or (len(head) == _HEAD_BYTES and b"\n" not in head):
        raise FileError(f"{file} has no header line with names of columns: give it one.")
    rows = {mark: next(csv.reader([line], delimiter=mark), []) for mark in _DELIMITERS}
    delimiter = max(rows, key=lambda mark: len(rows[mark]))
    names = [name.strip() for name in rows[delimiter]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileError(f"{file} has the column {twice[0]!r} twice: rename one.")
    return names, delimiter


def _read_text(file: Path, wanted: list[str]) -> DataFrame:
    import pandas as pd

    names, delimiter = _header(file)
    places = [names.index(name) for name in wanted]
    chunks, rows = [], 0
    try:
        with _open(file) as stream, io.TextIOWrapper(
            stream, _encoding(file), errors=_UNKNOWN, newline=""
        ) as text:  # fmt: skip
            reader = pd.read_csv(
                text, sep=delimiter, header=0, names=names, usecols=places, index_col=False,
                chunksize=_CHUNK_ROWS, low_memory=False, skip_blank_lines=True,
            )  # fmt: skip
            for chunk in reader:
                rows += len(chunk)
                if rows > _MAX_ROWS:
                    raise FileError(f"{file} has more than {_MAX_ROWS} rows: give a part of it.")
                chunks.append(chunk)
    except (pd.errors.ParserError, OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = str(error).strip().split("\n")[0][:200]
        raise FileError(f"{file} cannot be read as a table ({reason}): check it.") from None
    frame = chunks[0] if len(chunks) == 1 else pd.concat(chunks, ignore_index=True)
    decimal = delimiter == ";"
    for name in wanted:
        if decimal and frame[name].dtype.kind not in "iufb":
            frame[name] = _decimal_commas(frame[name])
    return frame


def _decimal_commas(series: Series) -> Series:
    """A column of numbers with decimal commas as numbers; any other as it is."""
    import pandas as pd

    found = pd.to_numeric(series.str.replace(",", ".", regex=False), errors="coerce")
    return series if (found.isna() & series.notna()).any() else found


def _parquet(file: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    try:
        found = parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise FileError(f"{file} cannot be read as Parquet ({reason}): check it.") from None
    if found.metadata.num_rows > _MAX_ROWS:
        found.close()
        raise FileError(f"{file} has more than {_MAX_ROWS} rows: give a part of it.")
    return found


def _read_parquet(file: Path, wanted: list[str]) -> DataFrame:
    import pyarrow

    try:
        with _parquet(file) as table:
            return table.read(columns=wanted).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = str(error).strip().split("\n")[0][:200]
        raise FileError(f"{file} cannot be read as Parquet ({reason}): check it.") from None
