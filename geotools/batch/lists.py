"""read_rows: the rows of a CSV list of inputs, as text by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from geotools.errors import FileError

__all__ = ["read_rows"]

_MAX_BYTES = 64 * 2**20
_MAX_ROWS = 100_000
_DELIMITERS = ",;\t|"


def read_rows(file: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows under the header, text without spaces around it; empty lines are left out.

    Args:
        file: CSV in UTF-8; the delimiter is the one of , ; tab | that the header has most of.
        needed: columns that must be there.

    Raises:
        FileError: no such file, not such a table, or without a column that is needed.
    """
    try:
        if not file.is_file():
            raise FileError(f"The list {file} does not exist: check the path.")
        if file.stat().st_size > _MAX_BYTES:
            raise FileError(f"{file} is larger than 64 MB, which no list is: check the path.")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{file} is no text in UTF-8: save the list as CSV in UTF-8.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"The list {file} cannot be read ({error}): check it.") from None
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise FileError(f"{file} is no CSV ({error}): save the list as CSV.") from None
    lines = [line for line in lines if any(line)]
    if not lines:
        raise FileError(f"{file} is empty: give a header and a row for each input.")
    names = lines[0]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError(f"{file} has two columns {twice!r}: rename one.")
    for name in needed:
        if name not in names:
            raise FileError(f"{file} has no column {name!r}: there are {', '.join(names[:20])}.")
    if len(lines) - 1 > _MAX_ROWS:
        raise FileError(f"{file} has more than {_MAX_ROWS:,} rows: make several jobs of it.")
    for number, line in enumerate(lines[1:], 1):
        if len(line) > len(names):
            raise FileError(
                f"{file}: row {number} has {len(line)} cells under {len(names)} columns: put "
                "quotes around text that holds the delimiter."
            )
    return [dict(zip(names, line + [""] * len(names), strict=False)) for line in lines[1:]]
