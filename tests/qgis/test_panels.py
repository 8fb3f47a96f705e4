"""geotools_qgis.gui: the list of models and the panel of trainings."""

import os
import time

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.gui.models import ModelList, models_in
from geotools_qgis.gui.training import TrainingPanel
from qgis.core import QgsProject, QgsSettings, QgsVectorFileWriter
from qgis.PyQt.QtWidgets import QApplication
from sample_layers import polygon_layer


def wait(widget):
    while widget.busy():
        QApplication.processEvents()
        time.sleep(0.02)  # lets the thread of the engine run


def test_models_are_listed_with_their_cards(qgis_app, engine, folder):
    """Those of the engine, then those of a folder; the chosen one is told of, and can be used."""
    (folder / "run").mkdir()
    (folder / "run" / "model.onnx").write_bytes(b"no model")
    QgsSettings().setValue("geotools/models", str(folder))
    opened = []
    dialog = ModelList(lambda *given: opened.append(given))
    wait(dialog)
    path = str(folder / "run" / "model.onnx")
    assert dialog.listed() == [
        "landforms-v1", "seismicity-california-v1", "seismicity-global-v1", path,
    ]  # fmt: skip
    dialog.names.setCurrentRow(0)
    wait(dialog)
    assert "elevation" in dialog.card.toPlainText()
    dialog.use.click()
    assert opened == [("geotools:predict", {"MODEL": "landforms-v1"})]
    dialog.names.setCurrentRow(3)
    wait(dialog)
    assert "model.onnx" in dialog.card.toPlainText()
    assert models_in(str(folder)) == [path]
    QgsSettings().remove("geotools/models")


def test_a_training_shows_its_losses_and_its_confusion(qgis_app, engine, dem, folder):
    """A net's losses by epoch while it learns; labels against the model when it is done."""
    boxes = [
        (5e5 + 150 + col * 800, 5e6 - 650 - row * 700, 5e5 + 750 + col * 800,
         5e6 - 150 - row * 700, "ab"[(row + col) % 2])
        for row in range(6) for col in range(6)
    ]  # fmt: skip
    options = QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(
        polygon_layer(boxes), str(folder / "labels.gpkg"),
        QgsProject.instance().transformContext(), options,
    )  # fmt: skip
    (folder / "small.toml").write_text(
        'name = "small"\nfeatures = ["dem", "terrain.slope"]\n[[inputs]]\nname = "dem"\n'
        'path = "dem.tif"\n[labels]\npath = "labels.gpkg"\nfield = "class"\nmax_cells = 2000\n'
        '[learner]\nname = "dense"\nepochs = 4\n[split]\nfolds = 2\n'
    )
    panel = TrainingPanel(lambda *given: None)
    panel.start()
    assert "Choose a configuration" in panel.said.text()
    panel.config.setFilePath(str(folder / "small.toml"))
    panel.folder.setFilePath(str(folder / "run"))
    panel.start()
    assert not panel.train.isEnabled()
    wait(panel)
    assert os.path.isfile(folder / "run" / "evaluation.json"), panel.said.text()
    losses = panel.curves.curves["training loss"]
    assert [number for number, _ in losses] == list(range(1, len(losses) + 1))
    assert losses
    assert panel.confusion.rowCount() == 2
    assert panel.confusion.horizontalHeaderItem(0).text() == "a"
    assert panel.report.isEnabled()
    panel.resize(500, 700)
    assert not panel.grab().isNull()
