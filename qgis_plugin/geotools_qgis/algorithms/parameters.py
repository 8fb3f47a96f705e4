"""Options as parameters of Processing."""

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

__all__ = ["MAKERS", "make_parameter"]

_MODELS = "Models (*.onnx);;Names of models that come with geotools (*)"
"""The second part lets names pass that have no dot (Processing checks what is typed)."""


def make_parameter(option):
    """A new parameter of Processing for an option."""
    parameter = MAKERS[option.kind](option)
    parameter.setHelp(option.help)
    if option.advanced:
        flags = parameter.flags() | QgsProcessingParameterDefinition.FlagAdvanced
        parameter.setFlags(flags)
    return parameter


def _enum(option, several=False):
    made = QgsProcessingParameterEnum(
        option.name,
        option.label,
        list(option.choices),
        several,
        _list(option.default) if several else option.default,
        not option.needed and option.default is None,
    )
    made.setUsesStaticStrings(True)  # models survive new entries
    return made


def _list(value):
    return list(value) if isinstance(value, tuple) else value


def _number(option, kind):
    made = QgsProcessingParameterNumber(
        option.name, option.label, kind, option.default, option.default is None
    )
    if option.least is not None:
        made.setMinimum(option.least)
    if option.most is not None:
        made.setMaximum(option.most)
    return made


def _file(option, behavior=QgsProcessingParameterFile.File, filters=""):
    made = QgsProcessingParameterFile(
        option.name, option.label, behavior, "", option.default, not option.needed
    )
    if behavior == QgsProcessingParameterFile.File:
        # Without a filter names that have no dot are refused (3.22 and 3.40).
        made.setFileFilter(filters or option.filter or "Files (*)")
    return made


def _source(option, kinds):
    return QgsProcessingParameterFeatureSource(
        option.name, option.label, kinds, None, not option.needed
    )


def _destination(made, option):
    made.setCreateByDefault(option.by_default)
    return made


_POLYGONS = (QgsProcessing.TypeVectorPolygon,)
_POINTS = (QgsProcessing.TypeVectorPoint,)
_LABELS = (QgsProcessing.TypeVectorPolygon, QgsProcessing.TypeVectorPoint)
_INTEGER = QgsProcessingParameterNumber.Integer
_DOUBLE = QgsProcessingParameterNumber.Double


def _text(option):
    return QgsProcessingParameterString(
        option.name, option.label, option.default, False, option.default is None
    )


def _field(option):
    return QgsProcessingParameterField(
        option.name, option.label, None, option.parent, optional=True
    )


MAKERS = {
    "raster": lambda o: QgsProcessingParameterRasterLayer(o.name, o.label, None, not o.needed),
    "label_raster": lambda o: QgsProcessingParameterRasterLayer(o.name, o.label, None, True),
    "rasters": lambda o: QgsProcessingParameterMultipleLayers(
        o.name, o.label, QgsProcessing.TypeRaster, None, not o.needed
    ),
    "toml_rasters": lambda o: QgsProcessingParameterMultipleLayers(
        o.name, o.label, QgsProcessing.TypeRaster, None, True
    ),
    "band": lambda o: QgsProcessingParameterBand(o.name, o.label, None, o.parent, True),
    "vector": lambda o: _source(o, _LABELS),
    "toml_labels": lambda o: _source(o, _LABELS),
    "polygons": lambda o: _source(o, _POLYGONS),
    "polygons_file": lambda o: _source(o, _POLYGONS),
    "events": lambda o: _source(o, _POINTS),
    "field": _field,
    "toml_field": _field,
    "catalog": _file,
    "file": _file,
    "model": lambda o: _file(o, filters=_MODELS),
    "models": lambda o: QgsProcessingParameterMultipleLayers(
        o.name, o.label, QgsProcessing.TypeFile, None, True
    ),
    "folder": lambda o: _file(o, QgsProcessingParameterFile.Folder),
    "flag": lambda o: QgsProcessingParameterBoolean(o.name, o.label, o.default),
    "int": lambda o: _number(o, _INTEGER),
    "float": lambda o: _number(o, _DOUBLE),
    "text": _text,
    "toml_text": _text,
    "choice": _enum,
    "toml_choice": _enum,
    "choices": lambda o: _enum(o, several=True),
    "crs": lambda o: QgsProcessingParameterCrs(o.name, o.label, None, True),
    "extent": lambda o: QgsProcessingParameterExtent(o.name, o.label, None, True),
    "box": lambda o: QgsProcessingParameterExtent(o.name, o.label, None, True),
    "raster_out": lambda o: _destination(
        QgsProcessingParameterRasterDestination(o.name, o.label, None, not o.needed), o
    ),
    "vector_out": lambda o: _destination(
        QgsProcessingParameterVectorDestination(
            o.name, o.label, QgsProcessing.TypeVectorAnyGeometry, None, not o.needed
        ),
        o,
    ),
    "file_out": lambda o: _destination(
        QgsProcessingParameterFileDestination(o.name, o.label, o.filter, None, not o.needed), o
    ),
    "page_out": lambda o: _destination(
        QgsProcessingParameterFileDestination(o.name, o.label, o.filter, None, True), o
    ),
    "folder_out": lambda o: _destination(
        QgsProcessingParameterFolderDestination(o.name, o.label, None, not o.needed), o
    ),
}
"""How each kind of option is made."""
