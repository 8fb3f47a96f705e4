"""write_attributes: a table without places into a GeoPackage of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.errors import FileError
from geotools.io.atomic import check_output, write_atomic
from geotools.io.layers import connect, failing_as, quoted

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["write_attributes"]


def write_attributes(
    path: str | os.PathLike[str], table: DataFrame, *, layer: str, overwrite: bool = False
) -> int:
    """The number of rows written; the file is then in place and holds this table alone.

    Raises:
        FileError: the file exists (without `overwrite`), the disk refuses, or what was written does
            not read back.
    """
    import pyogrio

    target = check_output(path, overwrite=overwrite)

    def verify(temporary: Path) -> None:
        with failing_as(f"{target} could not be written"), connect(temporary) as database:
            sql = f"SELECT count(*) FROM {quoted(layer)}"  # noqa: S608
            found = int(database.execute(sql).fetchone()[0])
        if found != len(table):
            raise FileError(f"{target} holds {found} rows, written were {len(table)}: try again.")

    with (
        write_atomic(target, overwrite=overwrite, verify=verify) as temporary,
        failing_as(f"{target} could not be written"),
    ):
        pyogrio.write_dataframe(table, temporary, layer=layer, driver="GPKG")
    return len(table)
