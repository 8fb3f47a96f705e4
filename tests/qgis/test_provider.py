"""geotools_qgis.provider: what the toolbox shows."""

import os

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.definitions import DEFINITIONS
from geotools_qgis.definitions.option import GROUPS
from qgis.core import QgsProcessingParameterDefinition
from qgis.PyQt.QtCore import QUrl


def test_all_algorithms_are_there(provider):
    """As many as there are definitions and examples, with the ids that never change."""
    names = {one.name() for one in provider.algorithms() if one.group() != "Examples"}
    assert names == {one.name for one in DEFINITIONS}
    assert names >= {"doctor", "terrain", "landforms", "predict", "modelinfo", "events",
                     "seismicity", "forecast", "train", "evaluate", "batch"}  # fmt: skip
    assert provider.supportedOutputRasterLayerExtensions() == ["tif"]
    assert provider.defaultVectorFileExtension() == "gpkg"
    assert not provider.supportsNonFileBasedOutput()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_algorithms_are_what_their_definitions_say(provider, definition):
    """Parameters with their defaults, help and flags; outputs; group; a new object for each run."""
    algorithm = provider.algorithm(definition.name)
    assert algorithm.id() == f"geotools:{definition.name}"
    assert algorithm.group() == GROUPS[definition.group]
    assert "--help" in algorithm.shortHelpString()
    assert "geotools" in algorithm.tags()
    assert os.path.isfile(QUrl(algorithm.helpUrl()).toLocalFile())
    assert type(algorithm.create({})) is type(algorithm)
    for option in definition.options:
        parameter = algorithm.parameterDefinition(option.name)
        default = parameter.defaultValue()
        expected = list(option.default) if isinstance(option.default, tuple) else option.default
        assert default == expected, option.name
        assert parameter.help() == option.help
        advanced = QgsProcessingParameterDefinition.FlagAdvanced
        assert bool(parameter.flags() & advanced) == option.advanced
        optional = bool(parameter.flags() & QgsProcessingParameterDefinition.FlagOptional)
        assert optional == (not option.needed and option.default is None), option.name
    outputs = {one.name(): one.type() for one in algorithm.outputDefinitions()}
    assert set(outputs) >= {"SUMMARY", *(one.name for one in definition.figures)}
    kinds = {"raster_out": "outputRaster", "vector_out": "outputVector", "file_out": "outputFile",
             "folder_out": "outputFolder"}  # fmt: skip
    for option in definition.options:  # what is declared can be chained
        if option.kind in kinds and not option.filter.startswith("HTML"):
            assert outputs[option.name] == kinds[option.kind]


def test_examples_are_models_that_can_run(provider):
    """Three models, each of which the designer finds complete."""
    models = {one.name(): one for one in provider.algorithms() if one.group() == "Examples"}
    assert set(models) == {"landform_areas", "forecast_cells", "train_and_map"}
    for model in models.values():
        assert model.canExecute() == (True, "")
        assert model.validate() == (True, [])
