"""geotools_qgis.algorithms.missing: missing values that are set on a layer."""

from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.algorithms.missing import missing_value
from geotools_qgis.algorithms.words import Words
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRasterRange,
)
from sample_layers import hills, polygon_layer, read_tif, write_tif


def flooded(folder, name="dem.tif", nodata=None):
    """A layer whose file has a lake of 0 m, and holes that it declares as missing or not."""
    data = hills(60, 70)
    data[10:20, 10:20] = 0
    data[30:35, 30:35] = -9999
    path = write_tif(folder / name, data, nodata=nodata)
    return QgsRasterLayer(str(path), "dem"), path


def add(layer, *ranges):
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(*one) for one in ranges])


def test_one_value_is_told_and_others_say_why_not(qgis_app, folder):
    """Instead of the file's own value there can be one, or none; beside it there can be none."""
    layer, _ = flooded(folder)
    assert missing_value(layer) == ("", "")
    add(layer, (0.0, 0.0))
    assert missing_value(layer) == ("0.0", "")
    add(layer, (0.0, 0.0), (5.0, 5.0))
    assert missing_value(layer) == ("", "there are several")
    add(layer, (-1.0, 0.0))
    assert missing_value(layer) == ("", "there are several")
    layer, _ = flooded(folder, "own.tif", -9999)
    assert missing_value(layer) == ("", "")
    add(layer, (-9999.0, -9999.0))
    assert missing_value(layer) == ("", "")
    add(layer, (0.0, 0.0))
    assert missing_value(layer) == ("", "its file has one of its own beside them")
    layer.dataProvider().setUseSourceNoDataValue(1, False)
    assert missing_value(layer, 1) == ("0.0", "")
    add(layer)
    assert missing_value(layer) == ("nan", "")


def test_a_value_that_is_set_on_a_layer_is_missing_on_the_map(run, provider, cli, folder):
    """As on the command line with --nodata; an option that is given goes before it."""
    layer, path = flooded(folder)
    add(layer, (0.0, 0.0))
    words, _ = words_of(provider, "terrain", {"INPUT": layer, "NODATA": -9999})
    assert words[words.index("--nodata") + 1] == "-9999.0"
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(-9999, -9999)])
    made, log = run("terrain", {"INPUT": layer, "OUTPUT": str(folder / "q.tif")})
    assert "--nodata -9999.0" in log
    cli("terrain", path, "-o", folder / "c.tif", "--nodata", "-9999")
    ours, theirs = read_tif(made["OUTPUT"]), read_tif(folder / "c.tif")
    assert ((ours == theirs) | ((ours != ours) & (theirs != theirs))).all()
    assert (ours[0, 30:35, 30:35] != ours[0, 30:35, 30:35]).all()


def test_what_cannot_be_told_is_warned_about(provider, folder):
    """One sentence in the log names the layer and says what to do."""
    layer, _ = flooded(folder, nodata=-9999)
    add(layer, (0.0, 0.0))
    _, log = words_of(provider, "terrain", {"INPUT": layer})
    assert (
        "dem: what its properties have set as missing does not count here, since its file has one "
        "of its own beside them: save it as a GeoTIFF and choose that." in log
    )


def words_of(provider, name, parameters):
    """The words of a command, which is not run, and the log."""
    algorithm = provider.algorithm(name).create({})
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    words = Words(algorithm, parameters, context, feedback).of(algorithm.definition)
    return words, feedback.textLog()


def test_layers_that_differ_are_warned_about(provider, folder):
    """A value for all rasters is one; a command without an option for it takes the file's."""
    layers = [flooded(folder, name)[0] for name in ("a.tif", "b.tif")]
    for layer in layers:
        add(layer, (-9999.0, -9999.0))
    words, log = words_of(provider, "predict", {"MODEL": "some", "INPUT": layers})
    assert words[-2:] == ["--nodata", "-9999.0"]
    assert "does not count" not in log
    add(layers[1], (0.0, 0.0))
    words, log = words_of(provider, "predict", {"MODEL": "some", "INPUT": layers})
    assert "--nodata" not in words
    assert "other layers have another" in log
    layers[0].setCrs(QgsCoordinateReferenceSystem("EPSG:32634"))
    words, log = words_of(provider, "evaluate", {"INPUT": layers[0], "LABEL_RASTER": layers[1]})
    assert not {"--nodata", "--crs"} & set(words)
    assert log.count("does not count here") == 3


def test_a_training_has_a_value_for_each_raster(provider, folder):
    """What is set on a layer stands in the configuration that is made of layers."""
    layers = [flooded(folder, "a.tif")[0], flooded(folder, "b.tif", -9999)[0]]
    add(layers[0], (0.0, 0.0))
    layers[1].dataProvider().setUseSourceNoDataValue(1, False)
    words, log = words_of(provider, "train", {
        "RASTERS": layers, "LABELS": polygon_layer([(5e5, 5e6 - 900, 5e5 + 900, 5e6, "low")]),
        "FIELD": "class", "OUTPUT": str(folder / "run"),
    })  # fmt: skip
    first, second = Path(words[1]).read_text().split("[[inputs]]")[1:]
    assert "nodata = 0.0" in first
    assert "nodata" not in second
    assert "a configuration cannot switch the file's value off" in log


def test_a_service_without_cells_is_refused(provider, folder):
    """A picture that a server draws at any size is no raster of values."""
    layer = QgsRasterLayer("type=xyz&url=http://127.0.0.1:9/{z}/{x}/{y}.png&zmax=3", "map", "wms")
    assert layer.isValid()
    with pytest.raises(QgsProcessingException, match="map has no cells of its own"):
        words_of(provider, "terrain", {"INPUT": layer})


def test_a_layer_that_is_no_file_is_written_without_them(run, folder):
    """What is set on a raster that QGIS computes is missing in the file that is made of it."""
    _, path = flooded(folder, nodata=-9999)
    uri = (
        "?crs=EPSG:32633&extent=500000,4998200,502100,5000000&width=70&height=60"
        f'&formula="dem@1"&dem:uri={path}&dem:provider=gdal'
    )
    layer = QgsRasterLayer(uri, "computed", "virtualraster")
    assert layer.isValid()
    add(layer, (0.0, 0.0))
    made, _ = run("terrain", {"INPUT": layer, "OUTPUT": str(folder / "out.tif")})
    slope = read_tif(made["OUTPUT"])[0]
    lake = slope[10:20, 10:20]
    assert (lake != lake).all()
    assert (slope == slope)[40:50, 40:50].all()
