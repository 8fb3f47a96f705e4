"""write_layer: features batch by batch into a GeoPackage, with default style and metadata.

The layer appears only when it is complete and was checked; what else is in the file is kept.
Tables of the format are those of OGC 12-128r19 (GeoPackage 1.4).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import FileError
from geotools.io.atomic import check_output, write_atomic
from geotools.io.layer_style import LayerStyle, complete_layer
from geotools.io.layers import (
    STYLES_TABLE,
    LayerInfo,
    check_geopackage,
    connect,
    describe_layers,
    failing_as,
    quoted,
    read_layer,
)
from geotools.io.records import Recorder, check_record, made_from, read_record
from geotools.io.styles import polygon_qml, polygon_sld
from geotools.spec import ClassInfo
from geotools.vector import VectorBatch

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["LayerInfo", "check_layer", "describe_layers", "read_layer", "write_layer"]


def write_layer(
    path: str | os.PathLike[str],
    batches: Iterable[GeoDataFrame | VectorBatch] | GeoDataFrame,
    *,
    layer: str,
    overwrite: bool = False,
    classes: Sequence[ClassInfo] | None = None,
    style: str | None = None,
    metadata: Mapping[str, str] | None = None,
    crs: Any = None,
    geometry_type: str | None = None,
    method: str = "",
    record: bool = True,
) -> int:
    """The number of features written to one layer of a GeoPackage, which is then in place.

    The layer has a spatial index. With `overwrite` the layer is replaced and everything else in
    the file is kept: the file is copied, the copy is changed, and takes the place of the file.
    Beside the file appears its record (`.gpkg.json`), by which `geotools.verify` tells whether it
    has changed since.
    With the environment variable SOURCE_DATE_EPOCH (seconds) the times in the file are that one,
    and the same features give the same bytes.

    Args:
        path: the `.gpkg`.
        batches: features, as tables or as arrays; every batch has the columns of the first. One
            that is empty makes an empty layer with these columns.
        layer: name of the layer.
        overwrite: replace the layer in an existing file.
        classes: draw polygons by the field `class`: a default style, for QGIS and as SLD.
        style: any other default style, as QML.
        metadata: stored with the layer; provenance, by name.
        crs: CRS of the features when the batches have none.
        geometry_type: as in the standard; otherwise that of the first batch, and Polygon for an
            empty one.
        method: what made it, for the record, where the metadata does not say so.
        record: write one; otherwise that of a file that is replaced goes.

    Raises:
        FileError: the file exists (without `overwrite`), is in use, is not a GeoPackage; no
            batch, no CRS; the disk refuses; what was written does not read back.
    """
    target, kept = check_layer(path, layer, overwrite=overwrite)
    written = 0

    def verify(temporary: Path) -> None:
        with failing_as(f"{target} could not be written"):
            _verify(temporary, layer, {**kept, layer: written})
        if record:
            made = made_from(metadata or {}, method=method)
            recorder.write(temporary, layers={**recorded, layer: made})
        recorder.put_aside()

    recorded = _recorded(target, kept) if record else {}
    with (
        Recorder(target) as recorder,
        write_atomic(target, overwrite=overwrite, verify=verify) as temporary,
    ):
        if kept:
            with failing_as(f"{target} could not be copied"):
                _copy(target, temporary)
                _forget(temporary, layer)
        written = _write(temporary, target, _listed(batches), layer, metadata, crs, geometry_type)
        with failing_as(f"{target} could not be written"):
            if classes:
                drawn = LayerStyle(
                    polygon_qml(classes), polygon_sld(classes, layer), f"Classes of {layer}"
                )
            else:
                drawn = LayerStyle(style or "", "", layer)
            complete_layer(temporary, layer, drawn)
    return written


def check_layer(
    path: str | os.PathLike[str], layer: str, *, overwrite: bool = False
) -> tuple[Path, dict[str, int]]:
    """The path of a layer that may be written, and the rows of each table that will be kept.

    Raises:
        FileError: as `write_layer`, for what can be seen before the features are there.
    """
    target = check_output(path, overwrite=overwrite)
    if (
        not layer
        or layer == STYLES_TABLE
        or layer.lower().startswith(("gpkg_", "rtree_", "sqlite_"))
    ):
        raise FileError(f"{layer!r} cannot name a layer of {target}: choose another name.")
    check_record(target, overwrite=overwrite)
    return target, _rows_beside(target, layer) if target.exists() else {}


def _recorded(target: Path, kept: Mapping[str, int]) -> dict[str, Mapping[str, Any]]:
    """What the record says of the layers that are kept, when the file is still what it was."""
    record = read_record(target) if kept else None
    if record is None or not record.fits(target):
        return {}
    return {name: made for name, made in record.layers.items() if name in kept}


def _rows_beside(target: Path, layer: str) -> dict[str, int]:
    """Rows of every table of the user's in the file except the layer's; none: nothing to keep."""
    for ending in ("-wal", "-journal"):
        if Path(f"{target}{ending}").exists():
            raise FileError(
                f"{target} is open in another program, or was left unfinished by one (there is a "
                f"{target.name}{ending}): close it there, then try again."
            )
    check_geopackage(target)
    with failing_as(f"{target} is damaged"), connect(target) as database:
        names = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.lower().startswith(("gpkg_", "rtree_", "sqlite_"))
            and name not in (layer, STYLES_TABLE)
        ]
        for name in names:
            if name.lower() == layer.lower():  # SQLite does not tell them apart
                raise FileError(f"{target} has a layer {name}: name another file, or rename it.")
        return {name: _count(database, name) for name in names}


def _count(database: sqlite3.Connection, table: str) -> int:
    rows = database.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()  # noqa: S608
    return int(rows[0])


def _copy(target: Path, temporary: Path) -> None:
    """A copy that is whole even while another program writes."""
    with connect(target) as source, closing(sqlite3.connect(temporary)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _forget(file: Path, layer: str) -> None:
    """Takes the layer's style and metadata out; pyogrio replaces the layer itself."""
    with connect(file, writing=True) as database, database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if STYLES_TABLE in tables:
            database.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (layer,))
        if "gpkg_metadata_reference" in tables:
            named = database.execute(
                "SELECT md_file_id FROM gpkg_metadata_reference WHERE table_name = ?", (layer,)
            ).fetchall()
            database.execute("DELETE FROM gpkg_metadata_reference WHERE table_name = ?", (layer,))
            database.executemany(
                "DELETE FROM gpkg_metadata WHERE id = ? AND id NOT IN "
                "(SELECT md_file_id FROM gpkg_metadata_reference)",
                named,
            )


def _listed(
    batches: Iterable[GeoDataFrame | VectorBatch] | GeoDataFrame,
) -> Iterable[GeoDataFrame | VectorBatch]:
    from geopandas import GeoDataFrame

    return (batches,) if isinstance(batches, GeoDataFrame) else batches


def _write(
    temporary: Path,
    target: Path,
    batches: Iterable[GeoDataFrame | VectorBatch],
    layer: str,
    metadata: Mapping[str, str] | None,
    crs: Any,
    geometry_type: str | None,
) -> int:
    """The number of features of all batches, appended one after the other."""
    written = 0
    begun = False
    for batch in batches:
        if begun and not len(batch):
            continue
        if batch.crs is None and crs is None:
            raise FileError(f"The features for {target} have no CRS: give one (crs=).")
        options: dict[str, Any] = {"layer": layer, "driver": "GPKG", "append": begun}
        options["layer_metadata"] = dict(metadata) if metadata and not begun else None
        if not begun:
            geometry_type = geometry_type or _geometry_type(batch)
        with failing_as(f"{target} could not be written"):
            _append(temporary, batch, crs, geometry_type=geometry_type, **options)
        begun = True
        written += len(batch)
    if not begun:
        raise FileError(f"There is no batch to write to {target}: give one, empty or not.")
    return written


def _append(temporary: Path, batch: GeoDataFrame | VectorBatch, crs: Any, **options: Any) -> None:
    """Writes a batch; `crs` is its own when it has none."""
    import pyogrio
    import pyogrio.raw

    if not isinstance(batch, VectorBatch):
        table = batch.set_crs(crs) if batch.crs is None else batch
        pyogrio.write_dataframe(table, temporary, **options)
        return
    names, columns = list(batch.columns), list(batch.columns.values())
    crs = _crs_text(crs if batch.crs is None else batch.crs)
    pyogrio.raw.write(temporary, batch.wkb, columns, names, crs=crs, **options)


def _crs_text(crs: Any) -> str:
    """A CRS as pyogrio takes it: by number where it has one, as it does for tables."""
    from pyproj import CRS

    known = CRS.from_user_input(crs)
    number = known.to_epsg()
    return f"EPSG:{number}" if number else str(known.to_wkt("WKT1_GDAL"))


def _geometry_type(batch: GeoDataFrame | VectorBatch) -> str:
    if isinstance(batch, VectorBatch):
        return batch.geometry_type
    kinds = sorted(batch.geom_type.dropna().unique())
    if not kinds:
        return "Polygon"
    return str(kinds[0]) if len(kinds) == 1 else "Unknown"


def _verify(file: Path, layer: str, rows: Mapping[str, int]) -> None:
    """Raises when the file is not whole, or does not hold what was written to it.

    The database is checked page by page, so a geometry that is there is the one that was written.
    """
    check_geopackage(file)
    for ending in ("-wal", "-journal"):
        if Path(f"{file}{ending}").exists():
            raise FileError(f"{file} was not closed (there is a {ending} beside it): try again.")
    with connect(file) as database:
        answer = [str(row[0]) for row in database.execute("PRAGMA integrity_check(1)")]
        if answer != ["ok"]:
            raise FileError(f"{file} does not read back as written ({answer[0]}): try again.")
        found = {table: _count(database, table) for table in rows}
        column = database.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)
        ).fetchone()[0]
        found[layer] = int(
            database.execute(
                f"SELECT count({quoted(column)}) FROM {quoted(layer)}"  # noqa: S608
            ).fetchone()[0]
        )
        indexed = _count(database, f"rtree_{layer}_{column}")
    if found != dict(rows) or indexed != rows[layer]:
        raise FileError(
            f"{file} holds {found} rows and {indexed} in its spatial index, written were "
            f"{dict(rows)}: try again."
        )
