"""All nets behind one protocol: they learn, they predict, their graphs say the same."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from net_materials import make_scene, make_table

from geotools.grid import Window
from geotools.training.learners.nets import make_net
from geotools.training.learners.settings import LEARNERS
from geotools.training.sections import AugmentConfig

SMALL = {
    "dense": {"width": 16},
    "unet": {"width": 4, "depth": 2, "tile": 32, "batch": 4},
    "cnn": {"width": 4, "window": 9, "batch": 32},
    "gru": {"width": 8},
    "tcn": {"width": 8},
}


def fitted(name, material, *, task="classification", seed=0, metric="accuracy", **options):
    options = {"epochs": 2, **SMALL[name], **options}
    index = np.arange(len(material.cells))
    validation = index[index % 4 == 0]
    learner = make_net(
        LEARNERS[name](**options), task=task, balanced=False, augment=AugmentConfig(),
        metric=metric if task == "classification" else "rmse",
    )  # fmt: skip
    return learner.fit(material, index[index % 4 != 0], validation, seed=seed)


def run_graph(traced, feeds):
    session = onnxruntime.InferenceSession(traced.graph.SerializeToString())
    return session.run(None, feeds)[0]


def material_for(name, **options):
    if name in ("unet", "cnn"):
        return make_scene(**options)
    return make_table(dates=3 if name in ("gru", "tcn") else 1, **options)


@pytest.mark.parametrize("name", SMALL)
def test_probabilities_sum_to_one_and_the_graph_gives_the_same(name):
    """PyTorch and ONNX Runtime agree, on any number of rows and any tile."""
    material = material_for(name)
    net = fitted(name, material)
    index = np.arange(0, len(material.cells), 3)
    here = net.predict(material, index)
    assert here.shape == (len(index), len(material.classes))
    np.testing.assert_allclose(here.sum(1), 1.0, atol=1e-5)
    traced = net.trace()
    (first, *_) = traced.inputs
    if first.kind == "raster":
        # As maps do: beyond the grid by the halo, beginning on a multiple.
        col, row = material.grids[0].phase(traced.stride_multiple)
        col, row = col - traced.halo - 8, row - traced.halo - 8
        size = 2 * traced.halo + 96
        tile = material.tile(0, Window(col, row, size, size)).data[None]
        there = run_graph(traced, {"raster": tile})
        assert np.isfinite(there).all()
        assert there.shape == (1, 2, size, size)
        cells = material.cells
        there = there[0][:, cells.row[index] - row, cells.col[index] - col].T
        np.testing.assert_allclose(there, here, atol=1e-5)
    else:
        rows = material.rows(index)
        if first.kind == "sequence":
            assert first.length == 3
            rows = rows.reshape(len(rows), first.length, -1)
        for count in (1, 2, len(rows)):
            there = run_graph(traced, {first.name: rows[:count]})
            np.testing.assert_allclose(there, here[:count], atol=1e-5)
