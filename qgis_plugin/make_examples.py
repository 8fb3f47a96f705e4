"""Writes the example models of the plugin, `geotools_qgis/models/*.model3`.

Run by the Python of QGIS with the plugin's parent on the path, when an algorithm that they use has
changed: `QT_QPA_PLATFORM=offscreen /usr/bin/python3 qgis_plugin/make_examples.py`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF

HERE = Path(__file__).parent

_static = QgsProcessingModelChildParameterSource.fromStaticValue
_given = QgsProcessingModelChildParameterSource.fromModelParameter
_made = QgsProcessingModelChildParameterSource.fromChildOutput
_expression = QgsProcessingModelChildParameterSource.fromExpression


def landform_areas() -> QgsProcessingModelAlgorithm:
    """An elevation model becomes landforms and the table of their areas."""
    model = _model("landform_areas", "Landforms with a table of their areas", landform_areas)
    _parameter(model, QgsProcessingParameterRasterLayer("dem", "Elevation model"), 0)
    forms = _child(
        model, "geotools:landforms", "forms", 0, INPUT=_given("dem"), METHOD=_static("model")
    )
    _output(forms, "Landforms", "OUTPUT")
    table = _child(
        model, "native:rasterlayeruniquevaluesreport", "table", 1,
        INPUT=_made("forms", "OUTPUT"), BAND=_static(1),
    )  # fmt: skip
    _output(table, "Areas", "OUTPUT_TABLE")
    return _finished(model, forms, table)


def forecast_cells() -> QgsProcessingModelAlgorithm:
    """A catalog becomes a forecast and the cells far above their long-term baseline."""
    model = _model("forecast_cells", "Cells with more earthquakes than usual", forecast_cells)
    _parameter(model, QgsProcessingParameterFile("catalog", "Catalog", fileFilter="Files (*)"), 0)
    threshold = QgsProcessingParameterNumber(
        "ratio", "Expected number over the baseline, at least",
        QgsProcessingParameterNumber.Double, 2.0, minValue=0.0,
    )  # fmt: skip
    _parameter(model, threshold, 1)
    made_by = QgsProcessingParameterString("model", "Model, or generic", None, False, True)
    _parameter(model, made_by, 2)
    forecast = _child(
        model, "geotools:forecast", "forecast", 0, INPUT=_given("catalog"), MODEL=_given("model")
    )
    _output(forecast, "Forecast", "OUTPUT")
    cells = _child(
        model, "native:extractbyexpression", "cells", 1, INPUT=_made("forecast", "CELLS"),
        EXPRESSION=_expression("'\"ratio\" >= ' || to_string(@ratio)"),
    )  # fmt: skip
    _output(cells, "Cells above the threshold", "OUTPUT")
    return _finished(model, forecast, cells)


def train_and_map() -> QgsProcessingModelAlgorithm:
    """Rasters and labels become a model, and the model a map of the rasters."""
    model = _model("train_and_map", "Train on labels and map", train_and_map)
    rasters = QgsProcessingParameterMultipleLayers("rasters", "Rasters", QgsProcessing.TypeRaster)
    _parameter(model, rasters, 0)
    kinds = [QgsProcessing.TypeVectorPolygon, QgsProcessing.TypeVectorPoint]
    _parameter(model, QgsProcessingParameterFeatureSource("labels", "Labels", kinds), 1)
    field = QgsProcessingParameterField("field", "Field with the class", None, "labels")
    _parameter(model, field, 2)
    learner = QgsProcessingParameterString("learner", "Learner", "auto")
    _parameter(model, learner, 3)
    trained = _child(
        model, "geotools:train", "trained", 0, RASTERS=_given("rasters"),
        LABELS=_given("labels"), FIELD=_given("field"), LEARNER=_given("learner"),
    )  # fmt: skip
    _output(trained, "Folder of the training", "OUTPUT")
    mapped = _child(
        model, "geotools:predict", "mapped", 1, MODEL=_made("trained", "MODEL"),
        INPUT=_given("rasters"),
    )  # fmt: skip
    _output(mapped, "Map", "OUTPUT")
    return _finished(model, trained, mapped)


EXAMPLES = (landform_areas, forecast_cells, train_and_map)


def _model(name, title, about) -> QgsProcessingModelAlgorithm:
    model = QgsProcessingModelAlgorithm(name, "Examples", "examples")
    model.setHelpContent({"ALG_DESC": f"{title}. {about.__doc__}", "ALG_CREATOR": "geotools"})
    return model


def _parameter(model, definition, row: int) -> None:
    place = QgsProcessingModelParameter(definition.name())
    place.setPosition(QPointF(140, 100 + 90 * row))
    model.addModelParameter(definition, place)


def _child(model, algorithm: str, name: str, row: int, **sources):
    child = QgsProcessingModelChildAlgorithm(algorithm)
    child.setChildId(name)
    child.setDescription(child.algorithm().displayName())
    child.setPosition(QPointF(440, 100 + 140 * row))
    optional = QgsProcessingParameterDefinition.FlagOptional
    for parameter in child.algorithm().parameterDefinitions():
        if not parameter.isDestination() and not parameter.flags() & optional:
            child.addParameterSources(parameter.name(), [_static(parameter.defaultValue())])
    for key, source in sources.items():
        child.addParameterSources(key, [source])
    return child


def _output(child, title: str, of: str) -> None:
    output = QgsProcessingModelOutput(title)
    output.setChildId(child.childId())
    output.setChildOutputName(of)
    output.setDescription(title)
    output.setPosition(QPointF(740, child.position().y()))
    outputs = child.modelOutputs()
    outputs[title] = output
    child.setModelOutputs(outputs)


def _finished(model, *children) -> QgsProcessingModelAlgorithm:
    for child in children:
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    return model


def _sorted(text: str) -> str:
    """XML with the attributes of every tag in order, which Qt writes in another one every time."""

    def tag(found: re.Match[str]) -> str:
        attributes = sorted(re.findall(r' [\w:]+="[^"]*"', found[2]))
        return f"<{found[1]}{''.join(attributes)}{found[3]}>"

    return re.sub(r'<(\w+)((?: [\w:]+="[^"]*")+)(/?)>', tag, text)


def main() -> None:
    """Writes all of them."""
    sys.path.insert(0, str(HERE))
    application = QgsApplication([], False)
    application.initQgis()
    from qgis.analysis import QgsNativeAlgorithms

    from geotools_qgis.provider import GeotoolsProvider

    registry = QgsApplication.processingRegistry()
    registry.addProvider(QgsNativeAlgorithms(registry))
    registry.addProvider(GeotoolsProvider())
    for make in EXAMPLES:
        model = make()
        fine, problems = model.validate()
        if not fine:
            raise SystemExit("\n".join(problems))
        path = HERE / "geotools_qgis" / "models" / f"{model.name()}.model3"
        path.parent.mkdir(exist_ok=True)
        if not model.toFile(str(path)):
            raise SystemExit(f"{path} could not be written")
        path.write_text(_sorted(path.read_text(encoding="utf-8")), encoding="utf-8")
    os._exit(0)  # the interpreter would crash on layers that outlive QGIS


if __name__ == "__main__":
    main()
