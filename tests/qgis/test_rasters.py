"""The algorithms that take rasters, against the command line."""

import json

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.algorithms.outputs import GROUP, finish_layers
from geotools_qgis.algorithms.words import Words
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from sample_layers import SHARED, hills, polygon_layer, read_tif, write_tif

FORMS = ["flat", "peak", "ridge", "shoulder", "spur", "slope", "hollow", "footslope", "valley",
         "pit"]  # fmt: skip


def rows_of(path):
    layer = QgsVectorLayer(str(path), "polygons", "ogr")
    return sorted((*f.attributes()[1:], f.geometry().asWkt(6)) for f in layer.getFeatures())


def test_landforms_are_those_of_the_command_line(run, cli, dem, folder):
    """Every cell and every polygon; styles and areas with them; odd paths do not matter."""
    made, _ = run("landforms", {
        "INPUT": str(dem), "OUTPUT": str(folder / "q.tif"), "CONFIDENCE": True,
        "POLYGONS": str(folder / "q.gpkg"), "MIN_AREA": 5000,
        "CONFIDENCE_RASTER": str(folder / "sure.tif"),
    })  # fmt: skip
    cli("landforms", dem, "-o", folder / "c.tif", "--confidence", "--polygons", folder / "c.gpkg",
        "--min-area", "5000")  # fmt: skip
    assert (read_tif(made["OUTPUT"]) == read_tif(folder / "c.tif")).all()
    assert (read_tif(made["CONFIDENCE_RASTER"])[0] == read_tif(made["OUTPUT"])[1]).all()
    assert rows_of(made["POLYGONS"]) == rows_of(folder / "c.gpkg")
    assert made["METHOD_USED"].startswith("landforms-v1")
    assert sum(made[f"AREA_{form.upper()}"] for form in FORMS) == pytest.approx(
        150 * 170 * 900, rel=0.2
    )
    layer = QgsRasterLayer(made["OUTPUT"], "forms")
    assert isinstance(layer.renderer(), QgsPalettedRasterRenderer)
    assert [one.label for one in layer.renderer().classes()] == FORMS
    assert QgsVectorLayer(made["POLYGONS"], "p", "ogr").renderer().type() == "categorizedSymbol"


def test_terrain_takes_words_of_lists(run, cli, dem, folder):
    """Several attributes become bands in their order."""
    made, _ = run("terrain", {
        "INPUT": str(dem), "ATTRIBUTES": ["tpi", "slope"], "RADIUS": 4,
        "OUTPUT": str(folder / "q.tif"),
    })  # fmt: skip
    cli("terrain", dem, "-o", folder / "c.tif", "-a", "tpi", "-a", "slope", "--radius", "4")
    ours, theirs = read_tif(made["OUTPUT"]), read_tif(folder / "c.tif")
    assert ours.shape[0] == 2
    assert ((ours == theirs) | ((ours != ours) & (theirs != theirs))).all()


def test_an_assigned_crs_is_passed_on(run, folder):
    """A file without CRS is mapped with the one that its layer was given."""
    path = write_tif(folder / "dem.tif", hills(60, 70), epsg=None)
    layer = QgsRasterLayer(str(path), "dem")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    made, log = run("terrain", {"INPUT": layer, "OUTPUT": str(folder / "out.tif")})
    assert "--crs EPSG:32633" in log
    assert QgsRasterLayer(made["OUTPUT"], "out").crs().authid() == "EPSG:32633"
    made, log = run("terrain", {
        "INPUT": layer, "CRS": QgsCoordinateReferenceSystem("EPSG:32634"),
        "OUTPUT": str(folder / "other.tif"),
    })  # fmt: skip
    assert "--crs EPSG:32634" in log
    assert "EPSG:32633" not in log


def test_rasters_that_are_no_files_are_written_first(run, cli, dem, folder):
    """A raster that QGIS computes itself gives what its file would."""
    uri = (
        "?crs=EPSG:32633&extent=500000,4995500,505100,5000000&width=170&height=150"
        f'&formula="dem@1"&dem:uri={dem}&dem:provider=gdal'
    )
    layer = QgsRasterLayer(uri, "computed", "virtualraster")
    assert layer.isValid()
    made, log = run("terrain", {"INPUT": layer, "OUTPUT": str(folder / "q.tif")})
    cli("terrain", dem, "-o", folder / "c.tif")
    ours, theirs = read_tif(made["OUTPUT"])[0], read_tif(folder / "c.tif")[0]
    assert "is written to a temporary one" in log
    assert abs(ours - theirs)[1:-1, 1:-1].max() < 1e-4


def test_extents_in_any_crs_and_masks_of_memory(run, dem, folder):
    """Only cells that both hold are mapped; both may be in other CRS than the raster."""
    areas = polygon_layer([(500600, 4996000, 503000, 4999400, "in")])
    made, log = run("landforms", {
        "INPUT": str(dem), "METHOD": "geomorphons", "SEARCH": 5, "MASK": areas,
        "EXTENT": "500000,502400,4995500,5000000 [EPSG:32633]",
        "OUTPUT": str(folder / "part.tif"),
    })  # fmt: skip
    whole, _ = run("landforms", {
        "INPUT": str(dem), "METHOD": "geomorphons", "SEARCH": 5, "OUTPUT": str(folder / "all.tif"),
    })  # fmt: skip
    part = QgsRasterLayer(made["OUTPUT"], "part")
    assert "--mask-layer mask" in log
    assert part.extent().xMaximum() <= 502400 + 30
    ours, theirs = read_tif(made["OUTPUT"])[0], read_tif(whole["OUTPUT"])[0]
    offset = round((part.extent().xMinimum() - 5e5) / 30)
    row = round((5e6 - part.extent().yMaximum()) / 30)
    theirs = theirs[row : row + ours.shape[0], offset : offset + ours.shape[1]]
    inside = ours > 0
    assert inside.any()
    assert (ours[inside] == theirs[inside]).all()
    assert inside.sum() == 60 * 113  # cells whose centre lies in both


def test_layers_of_a_geopackage_are_told_by_name(provider, dem, folder):
    """The file itself and the layer that is meant; filters, edits, a CRS have it written anew."""
    path = folder / "several.gpkg"
    for name, right in (("first", 5e5 + 900), ("Zweite Lage", 5e5 + 600)):
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.layerName = name
        if path.exists():
            options.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
        QgsVectorFileWriter.writeAsVectorFormatV3(
            polygon_layer([(5e5, 5e6 - 900, right, 5e6, "in")]), str(path),
            QgsProject.instance().transformContext(), options,
        )  # fmt: skip
    layer = QgsVectorLayer(f"{path}|layername=Zweite Lage", "second", "ogr")
    algorithm = provider.algorithm("landforms").create({})
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    values = {"INPUT": str(dem), "MASK": layer}
    words = Words(algorithm, values, context, feedback).of(algorithm.definition)
    place = words.index("--mask")
    assert words[place : place + 4] == ["--mask", str(path), "--mask-layer", "Zweite Lage"]
    layer.setSubsetString("\"class\" = 'in'")
    written = mask_of(algorithm, values)
    assert written.featureCount() == 1
    layer.setSubsetString("")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32634"))
    assert mask_of(algorithm, values).crs().authid() == "EPSG:32634"
    layer.setCrs(layer.dataProvider().crs())
    layer.startEditing()
    layer.deleteFeatures([next(layer.getFeatures()).id()])
    assert mask_of(algorithm, values).featureCount() == 0
    layer.rollBack()


def mask_of(algorithm, values):
    """The layer that is written for a mask that is not just a file."""
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    words = Words(algorithm, values, context, feedback).of(algorithm.definition)
    place = words.index("--mask")
    assert words[place + 1].endswith("MASK.gpkg")
    assert words[place + 3] == "mask"
    return QgsVectorLayer(f"{words[place + 1]}|layername=mask", "mask", "ogr")


def test_layers_are_named_grouped_and_tell_what_made_them(run, dem, folder):
    """What is loaded gets name, group, style and provenance by its post-processor."""
    path = str(folder / "q.tif")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    details = QgsProcessingContext.LayerDetails("x", QgsProject.instance(), "OUTPUT")
    context.addLayerToLoadOnCompletion(path, details)
    run("landforms", {"INPUT": str(dem), "METHOD": "geomorphons", "OUTPUT": path},
        context=context)  # fmt: skip
    details = context.layerToLoadOnCompletionDetails(path)
    assert details.name == "Landforms"
    assert not details.forceName  # a file that was named is called as QGIS's options say
    layer = QgsRasterLayer(path, details.name)
    QgsProject.instance().addMapLayer(layer)
    details.postProcessor().postProcessLayer(layer, context, QgsProcessingFeedback())
    assert "geomorphons" in layer.metadata().abstract()
    assert any("geotools landforms" in line for line in layer.metadata().history())
    if not hasattr(details, "groupName"):
        group = QgsProject.instance().layerTreeRoot().findGroup(GROUP)
        assert [node.layerId() for node in group.findLayers()] == [layer.id()]
    QgsProject.instance().clear()


def test_what_is_not_made_is_not_loaded(provider, folder):
    """After a dry run nothing is asked for that is not there."""
    context = QgsProcessingContext()
    for name in ("there.tif", "not.tif"):
        details = QgsProcessingContext.LayerDetails(name, QgsProject.instance(), "OUTPUT")
        context.addLayerToLoadOnCompletion(str(folder / name), details)
    write_tif(folder / "there.tif", hills(5, 5))
    outputs = {"OUTPUT": str(folder / "there.tif"), "POLYGONS": str(folder / "not.tif")}
    names = {"OUTPUT": "Landforms", "POLYGONS": "Polygons"}
    finish_layers(provider.algorithm("landforms"), outputs, {}, ["landforms"], context, names)
    assert list(context.layersToLoadOnCompletion()) == [str(folder / "there.tif")]


def test_errors_of_the_engine_are_its_sentence(run, folder):
    """What the engine refuses is said in its words."""
    path = write_tif(folder / "fine.tif", hills(40, 40), cell=0.5)
    with pytest.raises(QgsProcessingException, match="resample the raster"):
        run("landforms", {"INPUT": str(path), "OUTPUT": str(folder / "out.tif")})
    assert not list(folder.glob("*out*"))


def test_predict_takes_names_of_models_and_several_options(run, cli, dem, folder):
    """A shipped model by its name gives what the command line gives."""
    made, _ = run("predict", {
        "MODEL": "landforms-v1", "INPUT": [str(dem)], "OUTPUT": str(folder / "q.tif"),
        "TTA": True, "TILE": 128,
    })  # fmt: skip
    cli("predict", "landforms-v1", dem, "-o", folder / "c.tif", "--tta")
    assert (read_tif(made["OUTPUT"]) == read_tif(folder / "c.tif")).all()
    assert made["DEVICE_USED"] == "cpu"


def test_entropy_and_probabilities_are_layers(run, dem, folder):
    """Outputs of their own, temporary ones too; what is loaded is named, drawn and told of."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    path = str(folder / "entropy.tif")
    details = QgsProcessingContext.LayerDetails("x", QgsProject.instance(), "ENTROPY")
    context.addLayerToLoadOnCompletion(path, details)
    made, _ = run("predict", {
        "MODEL": "landforms-v1", "INPUT": [str(dem)], "OUTPUT": "TEMPORARY_OUTPUT",
        "ENTROPY": path, "PROBABILITIES": "TEMPORARY_OUTPUT", "PROBABILITY_TYPE": "uint8",
    }, context=context)  # fmt: skip
    assert read_tif(path).shape == (1, 150, 170)
    shares = read_tif(made["PROBABILITIES"])
    classes = read_tif(made["OUTPUT"])[0]
    assert (shares.argmax(axis=0)[classes > 0] + 1 == classes[classes > 0]).mean() > 0.99
    assert "CONFIDENCE_RASTER" not in made
    details = context.layerToLoadOnCompletionDetails(path)
    layer = QgsRasterLayer(path, details.name)
    details.postProcessor().postProcessLayer(layer, context, QgsProcessingFeedback())
    assert layer.name() == "Entropy"
    assert layer.renderer().type() == "singlebandgray"
    assert "landforms-v1" in layer.metadata().abstract()


def test_models_of_others_run_by_what_is_given(run, cli, folder):
    """A net of somebody else's maps by bands, scale and classes, as on the command line."""
    dummies = SHARED / "onnx_deepness_dummies"
    if not dummies.is_dir():
        pytest.skip(f"no models at {dummies}")
    (model,) = dummies.glob("*segmentation_models__one_output_sigmoid_bsx1x512x512.onnx")
    image = dummies / "dummy_fotomap_small.tif"
    made, _ = run("predict", {
        "MODEL": str(model), "INPUT": [str(image)], "BANDS": "3,2,1", "SCALE": "1/255",
        "CLASSES": "thing", "OUTPUT": str(folder / "q.tif"),
    })  # fmt: skip
    cli(
        "predict", model, image, "-o", folder / "c.tif", "--bands", "3,2,1", "--scale", "1/255",
        "--classes", "thing",
    )  # fmt: skip
    assert (read_tif(made["OUTPUT"]) == read_tif(folder / "c.tif")).all()
    card, _ = run("modelinfo", {"MODEL": str(model), "OUTPUT": str(folder / "card.html")})
    assert len(card["SHA256"]) == 64
    assert (folder / "card.html").read_text().startswith("<!doctype html>")


def test_a_training_maps_and_is_compared(run, dem, folder):
    """Layers become a model, the model a map, the map a report."""
    boxes = []
    for row in range(6):
        for col in range(6):
            left, top = 5e5 + 150 + col * 800, 5e6 - 150 - row * 700
            boxes.append((left, top - 500, left + 600, top, "ab"[(row + col) % 2]))
    labels = polygon_layer(boxes)
    layer = QgsRasterLayer(str(dem), "DEM 30 m")
    made, _ = run("train", {
        "RASTERS": [layer], "LABELS": labels, "FIELD": "class", "LEARNER": "logistic",
        "FEATURES": "dem_30_m, terrain.slope", "OUTPUT": str(folder / "run"), "SEED": 1,
    })  # fmt: skip
    assert (folder / "run" / "model.onnx").samefile(made["MODEL"])
    assert (folder / "run" / "report.html").samefile(made["REPORT"])
    mapped, _ = run("predict", {
        "MODEL": made["MODEL"], "INPUT": [layer], "OUTPUT": str(folder / "map.tif"),
    })  # fmt: skip
    assert set(read_tif(mapped["OUTPUT"])[0].ravel().tolist()) <= {0, 1, 2}
    compared, _ = run("evaluate", {
        "INPUT": mapped["OUTPUT"], "LABELS": labels, "FIELD": "class",
        "OUTPUT": str(folder / "check.html"),
    })  # fmt: skip
    assert "accuracy" in compared["SUMMARY"]
    config = folder / "some.toml"
    config.write_text('name = "x"')
    with pytest.raises(QgsProcessingException, match="or rasters and labels"):
        run("train", {"RASTERS": [layer], "OUTPUT": str(folder / "other")})
    with pytest.raises(QgsProcessingException, match="leave rasters, labels"):
        run("train", {"CONFIG": str(config), "RASTERS": [layer], "LABELS": labels,
                      "OUTPUT": str(folder / "other")})  # fmt: skip


def test_a_map_is_compared_with_a_raster_of_labels(run, cli, folder):
    """Labels are features or a raster, on a grid and in a CRS of its own; never both."""
    codes = (1 + (hills(60, 70) > 800)).astype("uint8")
    path = write_tif(folder / "map.tif", codes)
    labels = write_tif(folder / "labels.tif", codes[10:40, 5:50], epsg=None, left=5e5 + 150,
                       top=5e6 - 300)  # fmt: skip
    layer = QgsRasterLayer(str(labels), "labels")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    given = {"INPUT": str(path), "LABEL_RASTER": layer, "CLASSES": "low=1,high=2",
             "LABEL_CLASSES": "low=1,high=2"}  # fmt: skip
    made, log = run("evaluate", {
        **given, "OUTPUT": str(folder / "q.html"), "TABLE": str(folder / "q.json"),
    })  # fmt: skip
    assert "--labels-crs EPSG:32633" in log
    assert "accuracy 1" in made["SUMMARY"]
    cli("evaluate", "map", path, labels, "--labels-crs", "EPSG:32633", "--classes", "low=1,high=2",
        "--label-classes", "low=1,high=2", "-o", folder / "c.html", "--table",
        folder / "c.json")  # fmt: skip
    ours, theirs = (json.loads((folder / name).read_text()) for name in ("q.json", "c.json"))
    assert ours["confusion"] == theirs["confusion"]
    for others in ({}, {"LABELS": polygon_layer([(5e5, 5e6 - 900, 5e5 + 900, 5e6, "low")])}):
        kept = {**given, **others} if others else {"INPUT": str(path)}
        with pytest.raises(QgsProcessingException, match="or as a raster"):
            run("evaluate", {**kept, "OUTPUT": str(folder / "x.html")})


def test_batch_runs_a_job(run, dem, folder):
    """A TOML of many inputs."""
    job = folder / "job.toml"
    job.write_text(
        'operation = "terrain"\noutput = "all"\n[[inputs]]\npaths = ["dem.tif"]\n'
        '[options]\nattributes = ["slope"]\n'
    )
    made, _ = run("batch", {"JOB": str(job), "OUTPUT": str(folder / "all")})
    assert (folder / "all" / "batch.html").is_file()
    assert made["SUMMARY"]
