"""The batch mode of Processing: rows of a table, each of which is a run."""

from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from qgis.core import Qgis, QgsProcessingContext, QgsProject
from qgis.PyQt import sip
from sample_layers import hills, read_tif, write_tif


@pytest.mark.skipif(
    Qgis.QGIS_VERSION_INT >= 33000,
    reason="rows are tasks of an event loop in later versions, which tests do not have",
)
def test_every_row_of_a_batch_is_a_map(provider, engine, folder):
    """Outputs that are left empty are not made; all that is made is loaded."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    dialog = BatchAlgorithmDialog(provider.algorithm("landforms").create({}))
    panel = dialog.mainWidget()
    context = QgsProcessingContext()
    while panel.batchRowCount() < 2:
        panel.addRow()
    for row, name in enumerate(("one", "two")):
        path = write_tif(folder / f"{name}.tif", hills(60 + row, 70))
        for parameter, value in (("INPUT", str(path)), ("METHOD", "geomorphons")):
            column = panel.parameter_to_column[parameter]
            panel.wrappers[row][column].setParameterValue(value, context)
        column = panel.parameter_to_column["OUTPUT"]
        panel.tblParameters.cellWidget(row + 1, column).setValue(str(folder / f"{name}_map.tif"))
    panel.checkLoadLayersOnCompletion.setChecked(True)
    dialog.runAlgorithm()
    sip.delete(dialog)  # a window that outlives QGIS ends Python with a fault
    loaded = {Path(one.source()).name for one in QgsProject.instance().mapLayers().values()}
    assert loaded == {"one_map.tif", "two_map.tif"}
    assert [read_tif(folder / f"{name}_map.tif").shape for name in ("one", "two")] == [
        (1, 60, 70), (1, 61, 70),
    ]  # fmt: skip
    assert not list(folder.glob("*.gpkg"))
    QgsProject.instance().clear()
