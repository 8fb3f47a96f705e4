"""LayerStyle, complete_layer: the default style of a layer of a GeoPackage, where QGIS looks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from geotools.io.layers import connect

__all__ = ["LayerStyle", "complete_layer"]

_CREATE_STYLES = """
CREATE TABLE IF NOT EXISTS layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256),
    f_table_schema TEXT(256),
    f_table_name TEXT(256),
    f_geometry_column TEXT(256),
    styleName TEXT(30),
    styleQML TEXT,
    styleSLD TEXT,
    useAsDefault BOOLEAN,
    description TEXT,
    owner TEXT(30),
    ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)
"""
"""The columns that QGIS gives this table, in its order."""


class LayerStyle(NamedTuple):
    """How a layer is drawn."""

    qml: str
    sld: str
    description: str


def complete_layer(file: Path, layer: str, style: LayerStyle) -> None:
    """Adds the default style, and sets the times if they are prescribed."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    time = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with connect(file, writing=True) as database, database:
        if style.qml:
            database.execute(_CREATE_STYLES)
            database.execute(
                "INSERT OR IGNORE INTO gpkg_contents "
                "(table_name, data_type, identifier, description, srs_id) "
                "VALUES ('layer_styles', 'attributes', 'layer_styles', '', 0)"
            )
            column = database.execute(
                "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)
            ).fetchone()[0]
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                "owner, ui, update_time) VALUES ('', '', ?, ?, ?, ?, ?, 1, ?, '', NULL, ?)",
                (
                    layer,
                    column,
                    layer[:30],
                    style.qml,
                    style.sld,
                    style.description,
                    time,
                ),
            )
        database.execute(
            "UPDATE gpkg_contents SET last_change = ? WHERE table_name IN (?, 'layer_styles')",
            (time, layer),
        )
        if database.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'gpkg_metadata_reference'"
        ).fetchone():
            database.execute(
                "UPDATE gpkg_metadata_reference SET timestamp = ? WHERE table_name = ?",
                (time, layer),
            )
