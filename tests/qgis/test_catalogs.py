"""The algorithms that take earthquakes, as files and as layers, against the command line."""

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.algorithms.outputs import LayerFinisher
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from sample_layers import point_layer, read_tif


def rows_of(path, digits=6):
    """Time, magnitude and place of each event."""
    layer = QgsVectorLayer(f"{path}|layername=events", "events", "ogr")
    assert layer.isValid()
    return sorted(
        (f["time"].toString("yyyy-MM-ddTHH:mm:ss"), round(f["magnitude"], 3),
         round(f.geometry().asPoint().x(), digits), round(f.geometry().asPoint().y(), digits))
        for f in layer.getFeatures()
    )  # fmt: skip


def test_events_of_a_file_are_those_of_the_command_line(run, cli, catalog, folder):
    """Every event, its time and magnitude; the style comes with the file."""
    made, _ = run("events", {
        "INPUT": str(catalog), "MIN_MAGNITUDE": 3.3, "START": "2012-01-01",
        "EXTENT": "7,9,45,47 [EPSG:4326]", "OUTPUT": str(folder / "q.gpkg"),
    })  # fmt: skip
    cli("events", catalog, "-o", folder / "c.gpkg", "--min-magnitude", "3.3", "--start",
        "2012-01-01", "--bbox", "7", "45", "9", "47")  # fmt: skip
    assert rows_of(made["OUTPUT"]) == rows_of(folder / "c.gpkg")
    assert made["COUNT"] == len(rows_of(made["OUTPUT"])) > 20
    layer = QgsVectorLayer(made["OUTPUT"], "events", "ogr")
    assert layer.renderer().type() == "graduatedSymbol"


def test_layers_of_memory_in_any_crs_are_catalogs(run, catalog, folder):
    """A memory layer in another CRS gives the events of the file."""
    of_file, _ = run("events", {"INPUT": str(catalog), "OUTPUT": str(folder / "f.gpkg")})
    of_layer, _ = run("events", {"LAYER": point_layer(), "OUTPUT": str(folder / "l.gpkg")})
    assert rows_of(of_layer["OUTPUT"], 5) == rows_of(of_file["OUTPUT"], 5)


def test_filters_and_selections_count(run, folder):
    """What a filter hides is not there; of a selection, when asked for, nothing else is."""
    path = folder / "stored.gpkg"
    options = QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(
        point_layer(), str(path), QgsProject.instance().transformContext(), options
    )
    layer = QgsVectorLayer(str(path), "stored", "ogr")
    layer.setSubsetString('"magnitude" >= 3.5')
    large = layer.featureCount()
    assert 0 < large < 400
    made, _ = run("events", {"LAYER": layer, "OUTPUT": str(folder / "large.gpkg")})
    assert made["COUNT"] == large
    layer.selectByIds([f.id() for f in layer.getFeatures()][:7])
    QgsProject.instance().addMapLayer(layer)
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    made, _ = run("events", {"LAYER": chosen, "OUTPUT": str(folder / "chosen.gpkg")})
    assert made["COUNT"] == 7
    QgsProject.instance().clear()


def test_layers_of_the_engine_are_read_as_they_are(run, catalog, folder):
    """A whole layer that `events` has written is named, not written again; a filtered one is."""
    made, _ = run("events", {"INPUT": str(catalog), "OUTPUT": str(folder / "own.gpkg")})
    layer = QgsVectorLayer(f"{made['OUTPUT']}|layername=events", "own", "ogr")
    again, log = run("events", {"LAYER": layer, "OUTPUT": str(folder / "again.gpkg")})
    assert str(folder / "own.gpkg") in log
    assert again["COUNT"] == made["COUNT"]
    layer.setSubsetString('"magnitude" >= 3.5')
    fewer, log = run("events", {"LAYER": layer, "OUTPUT": str(folder / "fewer.gpkg")})
    assert "LAYER.csv" in log
    assert fewer["COUNT"] == layer.featureCount() < made["COUNT"]
    assert rows_of(fewer["OUTPUT"]) == [row for row in rows_of(made["OUTPUT"]) if row[1] >= 3.5]


def test_one_catalog_and_no_other(run, catalog, folder):
    """A file and a layer, or neither, is refused before anything starts."""
    for given in ({}, {"INPUT": str(catalog), "LAYER": point_layer(5)}):
        with pytest.raises(QgsProcessingException, match="either a catalog file or a layer"):
            run("events", {**given, "OUTPUT": str(folder / "x.gpkg")})


def test_seismicity_is_that_of_the_command_line(run, cli, catalog, folder):
    """Counts of every cell of a box."""
    made, _ = run("seismicity", {
        "INPUT": str(catalog), "QUANTITY": "count", "CELL": 0.25,
        "EXTENT": "6,10,44,48 [EPSG:4326]", "OUTPUT": str(folder / "q.tif"),
    })  # fmt: skip
    cli("seismicity", catalog, "-o", folder / "c.tif", "-q", "count", "--cell", "0.25", "--bbox",
        "6", "44", "10", "48")  # fmt: skip
    ours, theirs = read_tif(made["OUTPUT"]), read_tif(folder / "c.tif")
    assert ((ours == theirs) | ((ours != ours) & (theirs != theirs))).all()
    assert made["COUNT"] > 300


def test_a_forecast_is_that_of_the_command_line_and_knows_its_time(run, cli, catalog, folder):
    """Every number; the raster is true of the window alone; layers say what made them."""
    path = str(folder / "q.tif")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    context.addLayerToLoadOnCompletion(
        path, QgsProcessingContext.LayerDetails("x", QgsProject.instance(), "OUTPUT")
    )
    made, _ = run("forecast", {
        "INPUT": str(catalog), "MODEL": "generic", "HORIZON": 30, "OUTPUT": path,
        "CELLS": str(folder / "q.gpkg"), "PICTURE": str(folder / "q.png"),
    }, context=context)  # fmt: skip
    cli("forecast", catalog, "-o", folder / "c.tif", "--model", "generic", "--horizon", "30")
    ours, theirs = read_tif(made["OUTPUT"]), read_tif(folder / "c.tif")
    assert ((ours == theirs) | ((ours != ours) & (theirs != theirs))).all()
    assert made["EXPECTED"] > 0
    assert (folder / "q.png").is_file()
    layer = QgsRasterLayer(path, "forecast")
    details = context.layerToLoadOnCompletionDetails(path)
    details.postProcessor().postProcessLayer(layer, context, QgsProcessingFeedback())
    window = layer.temporalProperties().fixedTemporalRange()
    assert layer.temporalProperties().isActive()
    assert window.begin().daysTo(window.end()) == 30
    assert window.begin().toString("yyyy-MM-ddTHH:mm:ss") == made["WINDOW_START"][:19]
    assert layer.renderer().type() == "singlebandpseudocolor"


def test_events_that_are_loaded_follow_the_temporal_controller(run, catalog, folder):
    """The time of the default style is switched on by the finisher."""
    made, _ = run("events", {"INPUT": str(catalog), "OUTPUT": str(folder / "q.gpkg")})
    layer = QgsVectorLayer(made["OUTPUT"], "events", "ogr")
    finisher = LayerFinisher(["Made by a test."])
    finisher.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.temporalProperties().isActive()
    assert layer.temporalProperties().startField() == "time"
    assert layer.temporalProperties().accumulateFeatures()
    assert layer.metadata().abstract() == "Made by a test."


def test_forecasts_are_tested(run, catalog, folder):
    """A report over past windows."""
    made, _ = run("evaluateforecast", {
        "INPUT": str(catalog), "MODEL": "generic", "START": "2019-01-01", "END": "2019-07-01",
        "HORIZON": 60, "SIMULATIONS": 50, "OUTPUT": str(folder / "report.html"),
        "TABLE": str(folder / "figures.json"),
    })  # fmt: skip
    assert made["WINDOWS"] == 3
    assert (folder / "figures.json").is_file()
