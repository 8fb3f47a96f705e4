"""read_vector: the features of a vector file, or the points of a table, as they are in the file.

A file is looked at before any driver opens it: only formats that hold their data themselves are
read, none that can name other files or the network. What features mean is said elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError
from geotools.io.layers import STYLES_TABLE, check_geopackage, connect, failing_as
from geotools.io.tables import TABLE_ENDINGS, column_names, numbers, read_columns

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["is_vector", "read_vector"]

_MAGIC = {
    ".shp": re.compile(rb"\x00\x00\x27\x0a"),  # ESRI Shapefile Technical Description (1998), p. 4
    ".fgb": re.compile(rb"fgb[\x00-\x7f]fgb"),
    ".geojson": re.compile(rb"(?:\xef\xbb\xbf)?\s*\{"),
    ".json": re.compile(rb"(?:\xef\xbb\xbf)?\s*\{"),
}
_TABLES = tuple(ending for ending in TABLE_ENDINGS if ending != ".parquet")
_SCAN_BYTES, _CRS_BYTES = 16 * 2**20, 64 * 2**10
_FEATURES = re.compile(
    rb'"(Feature|FeatureCollection|(Multi)?(Point|LineString|Polygon)|GeometryCollection)"'
)
_CRS = re.compile(rb'"crs"\s*:\s*\{')
_ESCAPED = re.compile(rb"\\u00(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])", re.IGNORECASE)
_PLACES = (("x", "y"), ("lon", "lat"), ("longitude", "latitude"), ("easting", "northing"))
"""Names of columns that hold places, where nothing else is said."""


def is_vector(path: str | os.PathLike[str]) -> bool:
    """True for the endings of vector files and tables; a GeoPackage is looked into.

    Raises:
        FileError: a GeoPackage that does not exist or is damaged.
    """
    name = os.fspath(path).lower()
    if name.endswith(".gpkg"):
        with _quietly(path), failing_as(f"{path} is damaged"), _opened(path) as database:
            found = database.execute(
                "SELECT count(*) FROM gpkg_contents WHERE data_type = 'features'"
            )
            return int(found.fetchone()[0]) > 0
    return name.endswith((*_MAGIC, *_TABLES, ".kml", ".kmz", ".gml", ".gpx", ".dxf", ".parquet"))


def read_vector(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    degrees: Any = None,
    keys: tuple[str, str | None] = ("labels.layer", "labels.crs"),
) -> GeoDataFrame:
    """The features of a vector file in two dimensions, numbered from 0 in the order of the file.

    Curves come as lines; features without geometry stay, with None.

    Args:
        path: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, or a CSV or TSV table of points.
        layer: name of the layer, in a file with several.
        columns: for tables: `x` and `y` -> names of the columns; further keys are not for here.
        crs: the CRS to assume, instead of the file's own.
        degrees: the CRS of a table whose columns of places are called longitude and latitude.
        keys: what messages call the settings of layer and CRS; None: there is none of the CRS.

    Raises:
        FileError: no such file or layer, another format, damaged, no feature, no CRS.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    file = Path(path)
    if not file.is_file():
        raise FileError(f"{file} does not exist, or is a folder: name a vector file.")
    if file.name.lower().endswith(_TABLES):
        frame = _read_points(file, columns or {}, degrees)
    else:
        frame = _read_features(file, layer, keys[0])
    if len(frame) == 0 or frame.geometry.isna().all() or frame.geometry.is_empty.all():
        raise FileError(f"{file} holds no feature with a geometry: name another layer or file.")
    if crs is not None:
        try:
            frame = frame.set_crs(CRS.from_user_input(crs), allow_override=True)
        except CRSError:
            raise FileError(
                f"{crs!r} is not a CRS: give an authority code such as EPSG:4326."
            ) from None
    if frame.crs is None:
        named = f"name it with {keys[1]}, or " if keys[1] else ""
        raise FileError(f"{file} has no CRS: {named}give it one (ogr2ogr -a_srs).")
    return frame


def _read_features(file: Path, layer: str | None, key: str) -> GeoDataFrame:
    import pyogrio

    _check(file)
    with _quietly(file), failing_as(f"{file} could not be read"):
        names = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
    names = [name for name in names if name != STYLES_TABLE]
    if layer is None and len(names) == 1:
        layer = names[0]
    if layer not in names:
        wanted = "no layer was named" if layer is None else f"there is no {layer!r}"
        listed = ", ".join(names) or "no layer of features"
        raise FileError(f"{file} has {listed}, {wanted}: name one with {key}.")
    with _quietly(file), failing_as(f"{file} could not be read"):
        frame = pyogrio.read_dataframe(file, layer=layer, force_2d=True, on_invalid="fix")
    return frame.reset_index(drop=True)


def _read_points(file: Path, columns: Mapping[str, str], degrees: Any) -> GeoDataFrame:
    import geopandas
    import pandas as pd

    names = {name.lower(): name for name in column_names(file)}
    chosen = [columns[key] for key in ("x", "y") if key in columns]
    if not chosen:
        pairs = [[names[x], names[y]] for x, y in _PLACES if x in names and y in names]
        chosen = pairs[0] if pairs else []
    if len(chosen) != 2:
        raise FileError(
            f"{file} is a table without geometry: say which of its columns {', '.join(names)} are "
            'the place, such as labels.columns = {x = "lon", y = "lat"}.'
        )
    read_columns(file, [*chosen, *columns.values()])  # all are there, before all are read
    table = read_columns(file)
    x, y = (numbers(table[name], file) for name in chosen)
    return geopandas.GeoDataFrame(
        pd.DataFrame(table),
        geometry=geopandas.points_from_xy(x, y),
        crs=degrees if _in_degrees(chosen, x, y) else None,
    )


def _in_degrees(names: list[str], x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """True when columns are named as longitude and latitude and hold what can be such."""
    named = names[0].lower().startswith("lon") and names[1].lower().startswith("lat")
    with np.errstate(invalid="ignore"):
        return named and not (np.abs(x) > 360).any() and not (np.abs(y) > 90).any()


def _check(file: Path) -> None:
    """Refuses what is not one of the formats by its first bytes, or could name something else."""
    ending = file.suffix.lower()
    if ending == ".gpkg":
        with _quietly(file), _opened(file) as database:
            _check_layers(file, database)
        return
    try:
        with file.open("rb") as stream:
            head = stream.read(_SCAN_BYTES)
            pattern = _MAGIC.get(ending)
            if pattern is None or not pattern.match(head):
                raise FileError(
                    f"{file} is no vector file that is read: give a GeoPackage, Shapefile, "
                    "GeoJSON, FlatGeobuf, or a CSV of points."
                )
            if ending.endswith("json"):
                _check_json(file, stream, head)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{file} cannot be read ({error.strerror}): check it.") from None


def _opened(path: str | os.PathLike[str]) -> closing[sqlite3.Connection]:
    return connect(check_geopackage(path))


def _check_json(file: Path, stream: IO[bytes], head: bytes) -> None:
    """Refuses JSON that is not GeoJSON, or that names its CRS by a link, which GDAL would fetch."""
    if b'"gdal_streamed_alg"' in head or not _FEATURES.search(head):
        raise FileError(f"{file} is JSON but not GeoJSON: give features.")
    piece = head
    while piece:
        more = stream.read(_SCAN_BYTES)
        if _ESCAPED.search(piece):
            raise FileError(f"{file} writes letters as escapes, which hides words: save it anew.")
        for found in _CRS.finditer(piece):
            after = piece[found.end() - 1 : found.end() - 1 + _CRS_BYTES]
            if more and len(after) < _CRS_BYTES:
                continue  # it is whole in the next piece
            if _is_link(after):
                raise FileError(
                    f"{file} names its CRS by a link, which is not fetched: take it out."
                )
        piece = piece[-_CRS_BYTES:] + more if more else b""


def _is_link(text: bytes) -> bool:
    """True for a JSON object that asks for something to be fetched, or that is too long to tell."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (json.JSONDecodeError, RecursionError):
        return True
    return re.search(r"'(link|url|href)'", str(value), re.IGNORECASE) is not None


def _check_layers(file: Path, database: sqlite3.Connection) -> None:
    with failing_as(f"{file} is damaged"):
        views = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'view' AND name IN "
            "(SELECT table_name FROM gpkg_contents)"
        ).fetchall()
    if views:
        raise FileError(
            f"{file}: the layer {views[0][0]} is a view, which is not run from files of others: "
            "save it as a table first."
        )


@contextmanager
def _quietly(file: str | os.PathLike[str]) -> Iterator[None]:
    """Without GDAL's remarks on measures and the like; broken text and shapes are FileErrors."""
    from shapely.errors import ShapelyError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UnicodeDecodeError, ShapelyError, MemoryError, OverflowError) as error:
        reason = str(error).split("\n")[0][:120].rstrip(". ")
        raise FileError(f"{file} is damaged ({reason}): fetch or save it anew.") from None
