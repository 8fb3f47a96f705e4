"""Columns of CSV, TSV and Parquet files: found, read, or refused in one sentence."""

from __future__ import annotations

import builtins
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geotools.errors import FileError, MissingExtraError
from geotools.io.tables import column_names, numbers, read_columns, texts

TEXT = "id,class,depth\n1,clay,2.5\n2,sand,\n3,,1e3\n"


def _write(path: Path, text: str = TEXT) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".csv.gz"])
def test_columns_are_read_whatever_the_delimiter(tmp_path: Path, ending: str) -> None:
    text = TEXT.replace(",", "\t") if ending == ".tsv" else TEXT
    file = tmp_path / f"table{ending}"
    file.write_bytes(gzip.compress(text.encode()) if ending.endswith(".gz") else text.encode())
    columns = read_columns(file, ["depth", "class"])
    assert list(columns) == ["depth", "class"]
    assert np.array_equal(numbers(columns["depth"], file), [2.5, np.nan, 1000], equal_nan=True)
    assert texts(columns["class"]).tolist() == ["clay", "sand", None]


def test_a_byte_order_mark_quotes_and_decimal_commas_are_no_trouble(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes('\ufeff"name; a";value\r\nx;1,5\r\ny;2\r\n'.encode())
    assert column_names(file) == ["name; a", "value"]
    assert numbers(read_columns(file)["value"], file).tolist() == [1.5, 2.0]


def test_whole_numbers_stay_themselves_as_text() -> None:
    assert texts(pd.Series([1.0, 2.5, np.nan])).tolist() == ["1", "2.5", None]
    assert texts(pd.Series([7, 8])).tolist() == ["7", "8"]


def test_parquet_is_read_as_the_same_columns(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    file = tmp_path / "a.parquet"
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}).to_parquet(file)
    assert column_names(file) == ["a", "b"]
    assert texts(read_columns(file, ["b"])["b"]).tolist() == ["x", None]


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"PAR1")
    real = builtins.__import__

    def without(name: str, *args: object, **more: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"geotools-ml\[parquet\]"):
        read_columns(file)


def test_a_missing_column_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no column 'Depth': did you mean 'depth'\? It has id"):
        read_columns(_write(tmp_path / "a.csv"), ["Depth"])


def test_text_among_numbers_names_column_and_row(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.csv", "a\n1\nmany\n")
    with pytest.raises(FileError, match="column 'a' has 'many' in row 2, where a number belongs"):
        numbers(read_columns(file)["a"], file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "no header line"),
        ("a.csv", b"a,b\n", "no row"),
        ("a.csv", b"a,a\n1,2\n", "the column 'a' twice"),
        ("a.csv", b"\x00\x01\x02", "not a table of text"),
        ("a.csv", b'a,b\n1,"2\n', "cannot be read as a table"),
        ("a.csv.gz", b"nothing", "cannot be read"),
        ("a.parquet", b"nothing", "cannot be read as Parquet"),
        ("a.xlsx", b"PK", "ends in none of"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileError, match=words):
        read_columns(file)
    with pytest.raises(FileError, match="does not exist"):
        read_columns(tmp_path / "none.csv")


def test_text_that_is_not_utf_8_is_that_of_spreadsheets(tmp_path: Path) -> None:
    """Windows-1252, wherever in the file the first such letter is."""
    file = tmp_path / "a.csv"
    file.write_bytes("Länge;class\n1,5;Höhe\n2;Hähe\n".encode("cp1252"))
    assert column_names(file) == ["Länge", "class"]
    assert texts(read_columns(file)["class"]).tolist() == ["Höhe", "Hähe"]
    file.write_bytes("a,class\n1,Höhe\n".encode() + b"2,H\x81he\n3,H\x8dhe\n")
    assert texts(read_columns(file)["class"]).tolist()[1:] == ["H\\x81he", "H\\x8dhe"]
