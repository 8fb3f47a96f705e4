"""Layers as files that the engine opens, with the CRS that the user gave them.

What is a file already is named; what is not (memory, services, filters, unsaved edits, a chosen
CRS of a vector layer) is written to a temporary one. Runs in QGIS's main thread.
"""

import csv
import os

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureSink,
    QgsProcessingException,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterFileWriter,
    QgsRasterNuller,
    QgsRasterPipe,
    QgsRasterRange,
    QgsVectorFileWriter,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

__all__ = ["catalog_file", "crs_text", "raster_crs", "raster_file", "vector_file"]

_OWN_COLUMNS = {"time", "longitude", "latitude"}
"""Columns by which the engine knows a layer of its own events."""


def crs_text(crs):
    """A CRS as the engine reads it: its code, else its definition."""
    if not crs.isValid():
        return ""
    return crs.authid() or crs.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED)


def raster_file(layer, name, context, feedback):
    """Path of a file that holds what a raster layer shows: its own, or a temporary GeoTIFF."""
    if layer.providerType() == "gdal":
        path = layer.source()
        return os.path.abspath(path) if os.path.exists(path) else path
    provider = layer.dataProvider()
    if provider.xSize() < 1 or provider.ySize() < 1:
        raise QgsProcessingException(
            f"{layer.name()} has no cells of its own but is drawn at any size: save the part that "
            "is wanted as a GeoTIFF and choose that."
        )
    feedback.pushInfo(f"{layer.name()} is no file of GDAL: it is written to a temporary one.")
    path = QgsProcessingUtils.generateTempFilename(f"{name}.tif")
    pipe = QgsRasterPipe()
    if not pipe.set(provider.clone()) or not pipe.insert(1, _nuller(provider)):
        raise QgsProcessingException(f"{layer.name()} cannot be read: save it as a GeoTIFF.")
    writer = QgsRasterFileWriter(path)
    error = writer.writeRaster(
        pipe, provider.xSize(), provider.ySize(), layer.extent(), layer.crs(),
        context.transformContext(),
    )  # fmt: skip
    if error != QgsRasterFileWriter.NoError:
        raise QgsProcessingException(
            f"{layer.name()} could not be written to a temporary GeoTIFF: save it as one."
        )
    return path


_LOWEST = -3.4028234663852886e38
"""The lowest float32: what QGIS computes where something is missing, without saying so."""


def _nuller(provider):
    """The step of a pipe that makes missing what was set on a layer, and says so in the file."""
    made = QgsRasterNuller()
    for band in range(1, provider.bandCount() + 1):
        ranges = list(provider.userNoDataValues(band))
        if provider.dataType(band) in (Qgis.DataType.Float32, Qgis.DataType.Float64):
            ranges.insert(0, QgsRasterRange(_LOWEST, _LOWEST))
        made.setNoData(band, ranges)
    return made


def raster_crs(layer):
    """The CRS that the user assigned to a layer, as text; empty where it is that of its file."""
    assigned, own = layer.crs(), layer.dataProvider().crs()
    if layer.providerType() != "gdal" or not assigned.isValid() or assigned == own:
        return ""
    return crs_text(assigned)


def vector_file(source, layer, name, context, feedback):
    """Path and layer name of a GeoPackage with the features of a source, as filtered and chosen.

    Args:
        source: a QgsFeatureSource; what of it is chosen counts.
        layer: the layer behind it.
    """
    if _is_whole_file(source, layer):
        parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
        path = parts.get("path") or ""
        if path.lower().endswith(".gpkg") and os.path.exists(path):
            return os.path.abspath(path), parts.get("layerName") or layer.dataProvider().subLayers(
            )[0].split("!!::!!")[1]  # fmt: skip
    path = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", name.lower()
    # The column fid of a GeoPackage may come back twice after joins and merges.
    fields = source.fields()
    attributes = [n for n in range(fields.count()) if fields.at(n).name().lower() != "fid"]
    kept = fields.__class__()
    for index in attributes:
        kept.append(fields.at(index))
    writer = QgsVectorFileWriter.create(
        path, kept, source.wkbType(), source.sourceCrs(), context.transformContext(), options
    )
    if writer.hasError() != QgsVectorFileWriter.NoError:
        raise QgsProcessingException(
            f"{source.sourceName()} could not be written to a temporary GeoPackage "
            f"({writer.errorMessage()}): save it as one."
        )
    for feature in source.getFeatures():
        values = feature.attributes()
        copy = feature.__class__(kept)
        copy.setGeometry(feature.geometry())
        copy.setAttributes([values[index] for index in attributes])
        if not writer.addFeature(copy, QgsFeatureSink.FastInsert):
            raise QgsProcessingException(
                f"A feature of {source.sourceName()} could not be written ({writer.errorMessage()})"
                ": save the layer as a GeoPackage."
            )
    del writer  # closes the file
    return path, name.lower()


def _is_whole_file(source, layer):
    """Whether the file of a layer holds exactly what the source gives, in its CRS."""
    return (
        layer is not None
        and layer.providerType() == "ogr"
        and not layer.subsetString()
        and not layer.isEditable()
        and layer.crs() == layer.dataProvider().crs()
        and source.featureCount() == layer.featureCount()
    )


def catalog_file(source, layer, name, context, feedback):
    """Path of a catalog with the points of a source: the engine's own file, or a temporary CSV.

    The CSV has the place in degrees (WGS 84) and every field; times without a zone are UTC, as
    catalogs have them.
    """
    own = {field.name() for field in source.fields()} >= _OWN_COLUMNS
    if own and _is_whole_file(source, layer):
        parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
        path = parts.get("path") or ""
        if path.lower().endswith(".gpkg") and parts.get("layerName", "events") == "events":
            return os.path.abspath(path)
    path = QgsProcessingUtils.generateTempFilename(f"{name}.csv")
    transform = QgsCoordinateTransform(
        source.sourceCrs(), QgsCoordinateReferenceSystem("EPSG:4326"), context.transformContext()
    )
    names = [field.name() for field in source.fields()]
    kept = [n for n, one in enumerate(names) if one.lower() not in _PLACES]
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["longitude", "latitude", *(names[index] for index in kept)])
        for feature in source.getFeatures():
            geometry = feature.geometry()
            if geometry.isEmpty():
                continue
            geometry.transform(transform)
            for point in _points(geometry):
                values = feature.attributes()
                table.writerow(
                    [repr(point.x()), repr(point.y()), *(_cell(values[index]) for index in kept)]
                )
    return path


_PLACES = {"longitude", "latitude", "lon", "lat", "x", "y", "fid"}
"""Fields that would say the place a second time."""


def _points(geometry):
    if QgsWkbTypes.isMultiType(geometry.wkbType()):
        return geometry.asMultiPoint()
    return [geometry.asPoint()]


def _cell(value):
    """A value of a field as a text of the table."""
    if isinstance(value, QDateTime):
        if not value.isValid():
            return ""
        utc = value if value.timeSpec() == Qt.TimeSpec.LocalTime else value.toUTC()
        return utc.toString("yyyy-MM-ddTHH:mm:ss.zzz") + "Z"
    if isinstance(value, (QDate, QTime)):
        return value.toString(Qt.DateFormat.ISODate)
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return ""
    return repr(value) if isinstance(value, float) else str(value)
