"""What is in a GeoPackage: its layers described and read, and nothing changed.

A file is looked at before any driver opens it; writing is in `geopackage`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.errors import FileError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "STYLES_TABLE",
    "LayerInfo",
    "check_geopackage",
    "connect",
    "describe_layers",
    "failing_as",
    "quoted",
    "read_layer",
]

STYLES_TABLE = "layer_styles"
"""Where QGIS keeps styles; a table that is no layer."""

_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What is in one layer."""

    name: str
    """Name of the table."""
    geometry_type: str
    """`Polygon`, `Point`, …; empty for a table without geometry."""
    features: int
    """Number of rows."""
    fields: Mapping[str, str]
    """Type by name, in the words of GDAL (Integer, Real, String, …), without the geometry."""
    crs: str
    """`EPSG:32633`, or WKT where there is no code; empty when unknown."""
    bounds: tuple[float, float, float, float] | None
    """(left, bottom, right, top); None when the layer is empty."""
    metadata: Mapping[str, str]
    """Values by name, as written by `write_layer` or GDAL."""


def describe_layers(path: str | os.PathLike[str]) -> tuple[LayerInfo, ...]:
    """What is in each layer of a GeoPackage; nothing is changed.

    Raises:
        FileError: no such file, not a GeoPackage, or damaged.
    """
    import pyogrio

    file = check_geopackage(path)
    with failing_as(f"{file} could not be read"):
        found = []
        for name, geometry_type in pyogrio.list_layers(file):
            if name == STYLES_TABLE:
                continue
            info = pyogrio.read_info(file, layer=name, force_total_bounds=True)
            kinds = [str(kind).removeprefix("OFT") for kind in info["ogr_types"]]
            found.append(
                LayerInfo(
                    name=str(name),
                    geometry_type=str(geometry_type or ""),
                    features=int(info["features"]),
                    fields=dict(zip(map(str, info["fields"]), kinds, strict=True)),
                    crs=str(info["crs"] or ""),
                    bounds=info["total_bounds"],
                    metadata=dict(info["layer_metadata"] or {}),
                )
            )
    return tuple(found)


def read_layer(path: str | os.PathLike[str], layer: str | None = None) -> GeoDataFrame:
    """The features of one layer of a GeoPackage; without a name, of the only one.

    Raises:
        FileError: as `describe_layers`; no such layer, or several and no name.
    """
    import pyogrio

    names = [info.name for info in describe_layers(path)]
    if layer is None and len(names) == 1:
        layer = names[0]
    if layer not in names:
        wanted = "no layer was named" if layer is None else f"there is no {layer!r}"
        raise FileError(f"{path} has the layers {names}, {wanted}: name one of them.")
    with failing_as(f"{path} could not be read"):
        return pyogrio.read_dataframe(path, layer=layer)


_LONGEST_REASON = 200
"""Characters of what GDAL or SQLite say; they may repeat a whole statement."""


@contextmanager
def failing_as(what: str) -> Iterator[None]:
    """Turns what pyogrio and SQLite raise into a FileError that begins with `what`."""
    from pyogrio.errors import DataLayerError, DataSourceError
    from pyproj.exceptions import CRSError

    try:
        yield
    except (DataSourceError, DataLayerError, CRSError, sqlite3.Error) as error:
        reason = str(error).strip().rstrip(".").split("\n")[0][:_LONGEST_REASON]
        raise FileError(f"{what} ({reason}): check the disk, or name another file.") from error


def connect(path: Path, *, writing: bool = False) -> closing[sqlite3.Connection]:
    """A database that exists, closed at the end of `with`."""
    mode = "rw" if writing else "ro"
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True))


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def check_geopackage(path: str | os.PathLike[str]) -> Path:
    """The path, of a file that is a GeoPackage; looked at before any driver opens it."""
    file = Path(path)
    if not file.is_file():
        raise FileError(f"{file} does not exist, or is a folder: name a GeoPackage.")
    try:
        with file.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise FileError(f"{file} cannot be read ({error.strerror}): check it.") from None
    if magic != _MAGIC:
        raise FileError(f"{file} is not a GeoPackage: name a .gpkg file.")
    with failing_as(f"{file} is damaged, or in use"), connect(file) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if not {"gpkg_contents", "gpkg_spatial_ref_sys"} <= tables:
        raise FileError(f"{file} is an SQLite database but not a GeoPackage: name a .gpkg file.")
    return file
