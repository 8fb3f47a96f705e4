"""Small rasters, catalogs and layers, made by the GDAL and the QGIS of the tests."""

from __future__ import annotations

import datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Of the checkout."""

SHARED = ROOT.parent / "shared" / "data"
"""Real data beside it, where there is some."""


def hills(rows: int, cols: int):
    """(rows, cols) float32 metres: hills of several sizes."""
    import numpy as np

    row, col = np.mgrid[:rows, :cols].astype(float)
    return (
        800 + 90 * np.sin(col / 17) * np.cos(row / 23) + 25 * np.sin((row + 2 * col) / 9)
    ).astype("float32")


def write_tif(
    path: Path, data, *, epsg: int | None = 32633, cell=30.0, left=5e5, top=5e6, nodata=None
) -> Path:
    """A GeoTIFF by the GDAL of QGIS."""
    from osgeo import gdal, osr

    gdal.UseExceptions()
    rows, cols = data.shape
    kind = gdal.GDT_Byte if data.dtype == "uint8" else gdal.GDT_Float32
    made = gdal.GetDriverByName("GTiff").Create(str(path), cols, rows, 1, kind)
    made.SetGeoTransform((left, cell, 0, top, 0, -cell))
    if epsg is not None:
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(epsg)
        made.SetProjection(crs.ExportToWkt())
    if nodata is not None:
        made.GetRasterBand(1).SetNoDataValue(nodata)
    made.GetRasterBand(1).WriteArray(data)
    made.FlushCache()
    return path


def read_tif(path):
    """(bands, rows, cols) of a raster."""
    from osgeo import gdal

    gdal.UseExceptions()
    data = gdal.Open(str(path)).ReadAsArray()
    return data if data.ndim == 3 else data[None]


def events(count: int = 400):
    """Time, longitude, latitude, depth, magnitude of made-up earthquakes, with b = 1."""
    import numpy as np

    rng = np.random.default_rng(3)
    begin = datetime.datetime(2010, 1, 1)
    days = np.sort(rng.uniform(0, 3650, count))
    sizes = 3 + rng.exponential(1 / np.log(10), count)
    for day, x, y, depth, size in zip(
        days, rng.normal(8, 0.7, count), rng.normal(46, 0.5, count), rng.uniform(1, 20, count),
        sizes, strict=True,
    ):  # fmt: skip
        moment = begin + datetime.timedelta(days=float(round(day, 5)))
        yield moment.replace(microsecond=0), x, y, round(depth, 1), round(float(size), 1)


def point_layer(count: int = 400, crs: str = "EPSG:3857"):
    """A memory layer of the same earthquakes, in another CRS."""
    from qgis.core import (
        QgsCoordinateReferenceSystem,
        QgsCoordinateTransform,
        QgsFeature,
        QgsGeometry,
        QgsPointXY,
        QgsProject,
        QgsVectorLayer,
    )
    from qgis.PyQt.QtCore import QDateTime, Qt

    layer = QgsVectorLayer(
        f"Point?crs={crs}&field=time:datetime&field=depth:double&field=magnitude:double",
        "quakes", "memory",
    )  # fmt: skip
    transform = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), QgsProject.instance()
    )
    made = []
    for moment, x, y, depth, size in events(count):
        feature = QgsFeature(layer.fields())
        geometry = QgsGeometry.fromPointXY(QgsPointXY(x, y))
        geometry.transform(transform)
        feature.setGeometry(geometry)
        stamp = QDateTime.fromString(moment.isoformat(), Qt.DateFormat.ISODate)
        feature.setAttributes([stamp, float(depth), size])
        made.append(feature)
    layer.dataProvider().addFeatures(made)
    return layer


def polygon_layer(boxes, crs: str = "EPSG:32633"):
    """A memory layer of rectangles: (left, bottom, right, top, class)."""
    from qgis.core import QgsFeature, QgsGeometry, QgsRectangle, QgsVectorLayer

    layer = QgsVectorLayer(f"Polygon?crs={crs}&field=class:string", "areas", "memory")
    made = []
    for *edges, name in boxes:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*edges)))
        feature.setAttributes([name])
        made.append(feature)
    layer.dataProvider().addFeatures(made)
    return layer
