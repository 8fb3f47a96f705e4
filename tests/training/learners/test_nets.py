"""All nets behind one protocol: they learn, they predict, their graphs say the same."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from net_materials import SMALL, fitted_net, make_scene, make_table, material_for

from geotools.errors import ConfigError, LabelsError, ModelError
from geotools.grid import Window
from geotools.training.learners import nets
from geotools.training.material import TableMaterial


def run_graph(traced, feeds):
    session = onnxruntime.InferenceSession(traced.graph.SerializeToString())
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("name", SMALL)
def test_probabilities_sum_to_one_and_the_graph_gives_the_same(name):
    """PyTorch and ONNX Runtime agree, on any number of rows and any tile."""
    material = material_for(name)
    net = fitted_net(name, material)
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


def test_nets_learn():
    """The answer is known: form and noise of a scene, the sum of two columns of a table."""
    scene = make_scene()
    index = np.arange(len(scene.cells))
    net = fitted_net("unet", scene, epochs=12, width=8)
    assert (net.predict(scene, index).argmax(1) == scene.cells.target).mean() > 0.93
    table = make_table(1200)
    index = np.arange(len(table.cells))
    net = fitted_net("dense", table, epochs=30, batch=64)
    assert (net.predict(table, index).argmax(1) == table.cells.target).mean() > 0.9


@pytest.mark.parametrize("name", SMALL)
def test_values_come_out_in_their_unit(name):
    """The target is standardised inside; outside it has the mean and spread of the labels."""
    material = material_for(name, values=True)
    epochs = 2 if name == "cnn" else 8
    net = fitted_net(name, material, task="regression", epochs=epochs, learning_rate=0.01)
    index = np.arange(len(material.cells))
    found = net.predict(material, index)
    assert found.shape == (len(index), 1)
    error = found[:, 0] - material.cells.target
    assert np.sqrt((error**2).mean()) < material.cells.target.std()
    graph = net.trace().graph
    assert [output.name for output in graph.graph.output] == ["values"]
    assert np.isfinite([line.score for line in net.curve]).all()


def test_temperature_is_a_power_of_the_probabilities():
    """p^(1 / T), normalised; of one net and of several alike."""
    material = make_table()
    rows = material.rows(np.arange(40))
    for members in (1, 3):
        net = fitted_net("dense", material, members=members)
        p = run_graph(net.trace(), {"features": rows}).astype(np.float64)
        for temperature in (0.5, 2.5):
            expected = p ** (1 / temperature)
            expected /= expected.sum(1, keepdims=True)
            there = run_graph(net.trace(temperature), {"features": rows})
            np.testing.assert_allclose(there, expected, atol=1e-5)


def test_members_are_averaged_inside_the_graph():
    material = make_table()
    rows = material.rows(np.arange(40))
    net = fitted_net("dense", material, members=3)
    assert len(net.nets) == net.facts["members"] == 3
    alone = []
    for member in net.nets:
        with torch.inference_mode():
            alone.append(torch.softmax(member(torch.from_numpy(rows)), 1).numpy())
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    there = run_graph(net.trace(), {"features": rows})
    np.testing.assert_allclose(there, np.mean(alone, axis=0), atol=1e-6)


def test_test_labels_are_not_looked_at():
    """Other labels at cells that are neither learned from nor decide change nothing."""
    material, other = make_scene(), make_scene()
    index = np.arange(len(material.cells))
    test = index % 4 == 3
    other.cells.target[test] = 1 - other.cells.target[test]
    for name in ("unet", "cnn"):
        pair = [
            fitted_net(name, one, epochs=1, train=index[(index % 4 != 0) & ~test])
            for one in (material, other)
        ]
        states = [net.nets.state_dict() for net in pair]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_codes_are_classes_of_their_own():
    """Codes become one channel each: a code that was never seen is none of them."""
    material = make_scene(codes=True)
    net = fitted_net("unet", material)
    standardise = net.nets[0].standardise
    raw = torch.tensor([[0.0, 0.0, code] for code in (1.0, 3.0, 7.0, np.nan)])
    codes = standardise(raw)[:, 2:5].tolist()
    assert codes == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    raster = material.tile(0, Window(-8, -8, 48, 40)).data[None]
    assert np.isfinite(run_graph(net.trace(), {"raster": raster})).all()


def test_nothing_known_gives_finite_answers():
    material = make_table()
    net = fitted_net("dense", material)
    empty = np.full((2, 4), np.nan, np.float32)
    empty[1] = [np.inf, -np.inf, 3e38, -1e35]
    assert np.isfinite(run_graph(net.trace(), {"features": empty})).all()


def test_a_constant_or_empty_feature_does_no_harm():
    material = make_table()
    material._rows[:, 1] = 7.0
    material._rows[:, 2] = np.nan
    net = fitted_net("dense", material)
    assert np.isfinite(net.predict(material, np.arange(10))).all()


def test_without_validation_all_epochs_are_run():
    net = fitted_net("dense", make_table(), validated=False, fit={"epochs": 5})
    assert len(net.curve) == 5
    assert net.facts["best_epoch"] == 5
    assert all(np.isnan(line.validation_loss) for line in net.curve)


def test_it_stops_when_the_validation_loss_no_longer_falls():
    """The weights are those of the best epoch."""
    rng = np.random.default_rng(0)
    material = make_table(120)
    material.cells.target[:] = rng.integers(0, 3, 120)  # nothing to learn
    net = fitted_net("dense", material, epochs=60, patience=3, width=64)
    losses = [line.validation_loss for line in net.curve]
    best = int(np.argmin(losses)) + 1
    assert len(losses) == best + 3 < 60
    assert net.facts["best_epoch"] == best
    index = np.arange(0, 120, 4)
    p = net.predict(material, index)[np.arange(len(index)), material.cells.target[index]]
    assert -np.log(p).mean() == pytest.approx(losses[best - 1], rel=1e-4)


def test_pytorch_is_left_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted_net("dense", make_table())
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("name", ["unet", "dense"])
def test_the_same_seed_gives_the_same_net_and_another_one_another(name):
    material = material_for(name)
    index = np.arange(30)
    first, second, other = (
        fitted_net(name, material, seed=seed).predict(material, index) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_predictions_do_not_depend_on_what_is_asked_for_with_them():
    """A cell alone gets what it gets among all."""
    material = make_scene()
    for name in ("unet", "cnn"):
        net = fitted_net(name, material)
        index = np.arange(len(material.cells))
        whole = net.predict(material, index)
        for one in (0, 777, len(index) - 1):
            alone = net.predict(material, index[[one]])
            np.testing.assert_allclose(alone[0], whole[one], atol=2e-6)


def test_a_device_that_is_not_there_is_told():
    net = fitted_net("dense", make_table(), device="cuda")
    if not torch.cuda.is_available():
        assert net.facts["device"] == "cpu"
        assert net.facts["notes"] == ["PyTorch finds no cuda device here: the CPU was used."]


@pytest.mark.parametrize(
    ("name", "material", "match"),
    [
        ("gru", make_table(), "stack of dates"),
        ("unet", make_table(), "which a table has not"),
        ("cnn", make_table(), "which a table has not"),
    ],
)
def test_a_net_that_does_not_go_with_the_material_is_refused(name, material, match):
    with pytest.raises(ConfigError, match=match):
        fitted_net(name, material)


@pytest.mark.parametrize("name", ["gru", "tcn"])
def test_what_has_no_date_is_known_at_every_date(name):
    """Features in any order, one of them a code without a date; the graph takes plain rows."""
    material = make_table(dates=3)
    rows = material.rows(np.arange(len(material.cells)))
    rng = np.random.default_rng(1)
    code = rng.choice([1.0, 3.0, 7.0], len(rows)).astype(np.float32)
    order = [12, 0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7]  # the code, then dates out of order
    both = np.column_stack([rows, code])[:, order]
    known = np.array([(*material.features, "soil")[at] for at in order])
    beside = TableMaterial(
        material.cells, both, classes=material.classes, features=known,
        categories={0: (1, 3, 7)},
    )  # fmt: skip
    beside.steps = tuple((*(order.index(4 * date + n) for n in range(4)), 0) for date in range(3))
    net = fitted_net(name, beside, epochs=3)
    standardise = net.nets[0].standardise
    assert standardise.channels == 4 + 3 + 1  # bands of a date, a channel for each code, gaps
    assert standardise.codes == {4: (1, 3, 7)}
    index = np.arange(0, len(rows), 2)
    here = net.predict(beside, index)
    traced = net.trace()
    assert (traced.inputs[0].kind, traced.inputs[0].length) == ("features", 1)
    there = run_graph(traced, {"features": both[index]})
    np.testing.assert_allclose(there, here, atol=1e-5)
    changed = both[index].copy()
    changed[:, 0] = 3.0
    assert np.abs(run_graph(traced, {"features": changed}) - here).max() > 1e-4


def test_a_loss_that_is_no_number_ends_the_fit(monkeypatch):
    loss = lambda out, _: out.sum() * float("nan")  # noqa: E731
    monkeypatch.setattr(nets, "make_loss", lambda *_, **__: loss)
    material = make_table()
    with pytest.raises(ModelError, match="lower learning_rate"):
        fitted_net("dense", material)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(LabelsError, match="no cell to learn from"):
        fitted_net("dense", make_table(), train=np.zeros(0, np.intp))


def test_the_smallest_tiles_of_the_deepest_net_are_learned_from():
    """One tile a step, deeper than it is large: it becomes larger."""
    net = fitted_net("unet", make_scene(24, 24), depth=4, tile=8, batch=1, epochs=1)
    assert np.isfinite([line.train_loss for line in net.curve]).all()


def test_labels_where_no_feature_is_defined_are_refused():
    material = make_scene(32, 40)
    material._stacks[0].data[:] = np.nan
    with pytest.raises(LabelsError, match="feature that is defined"):
        fitted_net("unet", material)
