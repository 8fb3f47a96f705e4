"""Rates: the likelihood, the factors, nets that start from ETAS, and graphs equal to them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("skl2onnx")

import torch
from backbones import ISSUE, make_backbone, make_events
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from geotools.errors import ModelError
from geotools.inference.model import open_model
from geotools.seismicity.features import FEATURES, cell_features, usable_events
from geotools.spec import InputInfo, ModelSpec, OutputInfo
from geotools.training.seismicity import export
from geotools.training.seismicity.classifiers import ClassifierGraph
from geotools.training.seismicity.data import CellWindows, counts_of, drawn_windows, stacked
from geotools.training.seismicity.fit import (
    FitConfig,
    batch_of,
    calibrated,
    dispersion,
    factors,
    fit,
    mean_loss,
)
from geotools.training.seismicity.nets import Calibration, RateNet, joined
from geotools.training.seismicity.regions import PLANS, california, globe
from geotools.training.seismicity.scores import months_of
from geotools.training.seismicity.sequences import sequences

CALIBRATIONS = (Calibration(1.0, 1.1, 0.9, 1.0, 1.4), Calibration(30.0, 1.3, 0.7, 1.2, 2.0))


@pytest.fixture(scope="module")
def windows() -> CellWindows:
    """Cell-windows of 40 issue times at two horizons."""
    backbone, events = make_backbone(), make_events(1500)
    parts = [
        drawn_windows(
            backbone, events, issues_days=ISSUE - np.arange(80.0, 0.0, -2.0), horizon_days=days,
            draws=4000, seed=1,
        )
        for days in (1.0, 30.0)
    ]  # fmt: skip
    return stacked(parts)


def make_net(*, seed=0, hidden=(8,)) -> RateNet:
    """A net whose last layer is not zero."""
    torch.manual_seed(seed)
    net = RateNet(CALIBRATIONS, hidden=hidden)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape))
    return net.eval()


def spec_of(backbone) -> ModelSpec:
    return ModelSpec(
        name="tiny", version="1", task="regression", description="A test.",
        inputs=(
            InputInfo("features", "features", FEATURES, "events"),
            InputInfo("horizon_days", "horizon", (), "days"),
        ),
        outputs=(OutputInfo("rate", "rates", (), "events"),),
        cell_size_m=(11_000.0, 11_000.0),
        parameters={"horizons_days": [1.0, 30.0], "backbone": backbone.to_parameters()},
    )  # fmt: skip


def test_the_testing_region_has_7682_cells():
    grid, region = california()
    assert region.sum() == 7682
    assert grid.shape == region.shape == (115, 123)
    assert grid.bounds == pytest.approx((-125.4, 31.5, -113.1, 43.0))
    assert globe()[1].sum() == 64_800


def test_no_plan_fits_what_it_tests():
    for plan in PLANS.values():
        dates = (plan.sources_from, plan.etas_from, plan.fit_from, plan.stop_from)
        assert list(dates) == sorted(dates)
        assert plan.stop_from < plan.test_from < plan.test_to
        history = np.datetime64(plan.fit_from) - np.datetime64(plan.sources_from)
        assert history.astype(int) >= plan.bands_days[-1]


def test_drawn_rows_stand_for_all_cell_windows():
    """Weighted sums of the sample are near the sums over every cell and window."""
    backbone, events = make_backbone(), make_events(1500)
    issues = ISSUE - np.arange(30.0, 0.0, -3.0)
    drawn = drawn_windows(
        backbone, events, issues_days=issues, horizon_days=1.0, draws=20_000, seed=3
    )
    usable = usable_events(backbone, *events)
    exact, held = np.zeros(2), 0.0
    for issue in issues:
        cells = cell_features(backbone, *events, issue_days=issue, horizon_days=1.0)
        exact += cells.background.sum(), cells.with_secondaries.sum()
        held += counts_of(backbone, usable, issue, 1.0)[1].sum()
    sampled = [(drawn.weight * v).sum() for v in (drawn.background, drawn.with_secondaries)]
    np.testing.assert_allclose(sampled, exact, rtol=0.05)
    np.testing.assert_allclose(drawn.weight.sum(), backbone.cells * len(issues), rtol=0.05)
    assert drawn.count.sum() == held > 0


def test_factors_are_found_again():
    """Counts drawn from 0.5 B + 2 E give the factors back."""
    rng = np.random.default_rng(0)
    background, triggered = rng.uniform(0.01, 0.05, 200_000), rng.exponential(0.02, 200_000)
    count = rng.poisson(0.5 * background + 2.0 * triggered).astype(float)
    held = count > 0
    found = factors(
        background[held], triggered[held], count[held], background.sum(), triggered.sum()
    )
    np.testing.assert_allclose(found, (0.5, 2.0), rtol=0.1)


def test_dispersion_is_found_again():
    rng = np.random.default_rng(1)
    expected = rng.uniform(2.0, 20.0, 5000)
    counts = rng.poisson(expected * rng.gamma(4.0, 0.25, 5000))
    assert dispersion(counts.astype(float), expected) == pytest.approx(0.25, rel=0.1)
    assert dispersion(rng.poisson(expected).astype(float), expected) < 0.01


def test_a_new_net_is_calibrated_etas(windows):
    """F is zero at birth; between horizons the factors follow the logarithm of the length."""
    net = RateNet(CALIBRATIONS, hidden=(8,)).eval()
    features = torch.from_numpy(windows.features)
    for days, a, b in ((1.0, 1.1, 0.9), (30.0, 1.3, 0.7), (30**0.5, 1.43**0.5, 0.63**0.5)):
        with torch.no_grad():
            rate = net(features, torch.tensor([days])).numpy()
        expected = a * windows.background + b * windows.with_secondaries
        np.testing.assert_allclose(rate, expected, rtol=1e-4)


def test_a_fit_lowers_the_loss_and_repeats(windows):
    torch.set_num_threads(1)  # what is shared out may be added up in another order
    windows = windows.at(np.arange(0, len(windows), 3))
    batch = batch_of(windows)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        net = RateNet([calibrated(windows, days) for days in (1.0, 30.0)], hidden=(8,))
        net.set_scaling(batch.features, batch.horizon)
        before = mean_loss(net, batch)
        assert fit(net, batch, batch, FitConfig(epochs=3, rows=512)) > 0
        losses.append(mean_loss(net, batch))
        assert losses[-1] < before
    assert losses[0] == losses[1]


def test_the_file_gives_what_the_net_gives(windows, tmp_path):
    """Joined members, exported, opened as forecasting opens it, with its backbone."""
    nets = [make_net(seed=seed) for seed in (1, 2)]
    net = joined(nets, CALIBRATIONS, (8,))
    backbone = make_backbone()
    path = tmp_path / "tiny.onnx"
    spec = export.export_rates(net, path, spec_of(backbone), windows.features)
    assert spec.parity["max_difference"] < 1e-4
    model = open_model(path)
    horizon = np.array([7.0], dtype=np.float32)
    (rate,) = model.run({"features": windows.features, "horizon_days": horizon})
    with torch.no_grad():
        here = net(torch.from_numpy(windows.features), torch.from_numpy(horizon)).numpy()
    np.testing.assert_allclose(rate, here, rtol=1e-4)
    assert rate.shape == (len(windows),)
    assert model.spec.parameters["backbone"] == backbone.to_parameters()


def test_a_graph_that_differs_is_not_written(windows, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_difference", lambda *_: 0.01)
    with pytest.raises(ModelError, match="refused"):
        export.export_rates(
            make_net(), tmp_path / "x.onnx", spec_of(make_backbone()), windows.features
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("classifier", [LogisticRegression(C=0.01), SVC()], ids=["p", "margin"])
def test_a_classifier_becomes_rates(classifier, windows):
    """Calibrated, it expects the events that happened; its graph says the same."""
    rows = windows.at(windows.horizon == 1.0)
    graph = ClassifierGraph(classifier, rows.at(np.arange(0, len(rows), 2)), share=0.0)
    rows = rows.at(np.arange(1, len(rows), 2))
    graph.calibrate(rows)
    assert (rows.weight * graph.rates(rows.features)).sum() == pytest.approx(
        rows.count.sum(), rel=0.02
    )
    some = rows.features[::7]
    parity = export.proven(graph.to_onnx(), {"features": some}, graph.rates(some), "some windows")
    assert parity.max_difference < 1e-4


def test_sequences_end_with_the_latest_event_before_the_issue_time():
    backbone = make_backbone()
    events = usable_events(backbone, *make_events(1500))
    cells = np.arange(backbone.cells)
    found = sequences(backbone, events, np.full(len(cells), ISSUE), cells)
    later = [values.copy() for values in events]
    later[1][events[0] >= ISSUE] = -119.5
    np.testing.assert_array_equal(
        sequences(backbone, tuple(later), np.full(len(cells), ISSUE), cells), found
    )
    ages = found[:, :, 0]
    assert (ages >= 0).all()
    full = ages[:, -2] > 0
    assert (ages[full, -2] >= ages[full, -1]).all()
    assert (found[:, :, 2] <= 2.5 * backbone.scales_km[0] + 1e-3).all()


def test_months_count_from_1970():
    np.testing.assert_array_equal(months_of(np.array([0.0, 30.9, 31.0, 365.0])), [0, 0, 1, 12])


def test_nothing_is_learnt_where_there_is_nothing_to_learn():
    """Events that come at the rate of the background and know nothing of each other: after a fit
    the net is no better than ETAS on years that follow, and hardly worse.
    """
    rng = np.random.default_rng(5)
    backbone = make_backbone(10, 10)
    rates = np.where(backbone.region, rng.uniform(5e-3, 8e-2, backbone.region.shape), 0.0)
    backbone = dataclasses.replace(
        backbone, background=rates, smoothed=rates,
        bands_days=(1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0),
    )  # fmt: skip
    days = 1500.0
    count = rng.poisson(rates[backbone.region].sum() * days)
    row, col = np.nonzero(backbone.region)
    cell = rng.choice(len(row), count, p=rates[backbone.region] / rates[backbone.region].sum())
    events = (
        rng.uniform(0.0, days, count),
        -120.0 + 0.1 * (col[cell] + rng.uniform(0.01, 0.99, count)),
        37.0 - 0.1 * (row[cell] + rng.uniform(0.01, 0.99, count)),
        3.0 + rng.exponential(0.43, count),
    )
    spans = ((250.0, 750.0), (750.0, 1000.0), (1000.0, 1490.0))
    fitted, followed, tested = (
        drawn_windows(
            backbone, events, issues_days=np.arange(*span), horizon_days=1.0, draws=4000, seed=7
        )
        for span in spans
    )
    one = calibrated(fitted, 1.0)
    assert one.background == pytest.approx(1.0, abs=0.15)
    torch.manual_seed(0)
    net = RateNet([one])
    batch = batch_of(fitted)
    net.set_scaling(batch.features, batch.horizon)
    fit(net, batch, batch_of(followed), FitConfig(epochs=4, rows=1024))
    with torch.no_grad():
        rate = net(torch.from_numpy(tested.features), torch.tensor([1.0])).numpy().astype(float)
    base = one.background * tested.background + one.triggering * tested.with_secondaries
    gain = (tested.count * np.log(rate / base)).sum() - (tested.weight * (rate - base)).sum()
    assert abs(gain / tested.count.sum()) < 0.01


MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize("name", ["seismicity-california-v1", "seismicity-global-v1"])
def test_a_shipped_model_runs_and_its_card_says_what_its_spec_says(name):
    model = open_model(MODELS / f"{name}.onnx")
    card = (MODELS / f"{name}.md").read_text(encoding="utf-8")
    assert model.spec.training["command"] in card
    for score in model.spec.training["scores"]:
        low, high = score["interval_95"]
        figure = f"{score['nats_per_event']:+.3f} ({low:+.3f} to {high:+.3f})"
        row = f"| {score['model']} | {score['over']} | {figure}"
        assert row in card
    assert "predict" not in card.replace("predict_", "")
