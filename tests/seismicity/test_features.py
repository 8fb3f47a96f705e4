"""Forecast features: the past alone, in any order, the same by both ways."""

import numpy as np
import pytest
from backbones import BANDS, ISSUE, make_backbone, make_events

from geotools.errors import EventsError
from geotools.seismicity.backbone import Backbone, lonlat_grid
from geotools.seismicity.etas import GENERIC_ETAS
from geotools.seismicity.features import FEATURES, cell_features, each_features


def features(events, backbone=None, *, issue=ISSUE, horizon=1.0):
    backbone = backbone or make_backbone()
    return cell_features(backbone, *events, issue_days=issue, horizon_days=horizon)


def column(cells, name):
    return cells.values[:, FEATURES.index(name)]


def test_what_happens_after_the_issue_time_changes_no_bit():
    """All later events shuffled in place, time and size, or left out."""
    events = make_events()
    later = events[0] >= ISSUE
    assert later.sum() > 50
    rng = np.random.default_rng(1)
    shuffled = [values.copy() for values in events]
    for values in shuffled[1:]:
        values[later] = rng.permutation(values[later])
    shuffled[0][later] = rng.uniform(ISSUE, ISSUE + 1000, later.sum())
    without = [values[~later] for values in events]
    expected = features(events).values
    np.testing.assert_array_equal(features(shuffled).values, expected)
    np.testing.assert_array_equal(features(without).values, expected)


def test_the_order_of_the_rows_changes_no_bit():
    events = make_events()
    order = np.random.default_rng(2).permutation(len(events[0]))
    np.testing.assert_array_equal(
        features([values[order] for values in events]).values, features(events).values
    )


@pytest.mark.parametrize("horizon", [1.0, 30.0])
def test_many_issue_times_give_the_bits_of_each_alone(horizon):
    """Sums that slide from one issue time to the next are those that are made anew."""
    events, backbone = make_events(), make_backbone()
    times = np.concatenate([[ISSUE - 4000.0], ISSUE - np.arange(25.0, 0.0, -5.0), [ISSUE + 500.0]])
    stream = each_features(backbone, *events, issues_days=times, horizon_days=horizon)
    for issue, cells in zip(times, stream, strict=True):
        alone = features(events, backbone, issue=issue, horizon=horizon)
        np.testing.assert_array_equal(cells.values, alone.values)


def test_sums_in_parts_are_the_sum(monkeypatch):
    """A catalog that is worked off in pieces gives the bits of one piece."""
    from geotools.seismicity import features as module

    events = make_events()
    whole = features(events).values
    monkeypatch.setattr(module, "_CHUNK", 37)
    np.testing.assert_array_equal(features(events).values, whole)


def test_one_event_counts_where_it_is_and_when_it_was():
    """A disc is exp(-r^2 / 2 R^2) around the event, in the band of its age and no other."""
    backbone = make_backbone()
    longitude, latitude = -119.35, 36.35  # the centre of row 6, column 6
    event = [np.array([v]) for v in (ISSUE - 5.0, longitude, latitude, 4.0)]
    cells = features(event, backbone)
    number = int(backbone.region[:6].sum()) + 6
    for band in range(1, 9):
        wanted = 1.0 if band == 3 else 0.0  # 5 days: from 3 to 10
        assert column(cells, f"count_near_{band}")[number] == pytest.approx(wanted, abs=1e-6)
    east = 6371.0 * np.cos(np.radians(latitude)) * np.radians(0.1)
    assert column(cells, "count_far_3")[number + 1] == pytest.approx(
        np.exp(-(east**2) / (2 * 50.0**2)), abs=1e-5
    )
    factor = np.exp(backbone.etas.alpha * (4.0 - backbone.etas.mref))
    assert column(cells, "productivity_near_3")[number] == pytest.approx(factor, rel=1e-6)
    shares = column(cells, "count_kernel_3")
    assert shares.argmax() == number
    assert 0.3 < shares.sum() < 1.0
    assert list(column(cells, "region_7d")) == [1.0] * backbone.cells
    assert not column(cells, "region_1d").any()


def test_expected_numbers_are_those_of_the_window():
    """Columns of rates are the arrays beside them; twice the horizon is twice the background."""
    one, two = (features(make_events(), horizon=days) for days in (10.0, 20.0))
    for name in ("background", "smoothed", "triggered", "with_secondaries"):
        np.testing.assert_allclose(column(one, name), getattr(one, name), rtol=1e-6)
    np.testing.assert_allclose(two.background, 2 * one.background)
    assert (two.triggered > one.triggered).all()
    assert (one.with_secondaries > one.triggered).all()


def test_a_globe_has_no_edge_at_180_degrees_and_none_at_the_poles():
    """The same disc, wherever the event is along its parallel, and around a pole."""
    shape = (36, 72)
    grid = lonlat_grid(-180.0, 90.0, (5.0, 5.0), shape)
    rates = np.full(shape, 1e-4)
    globe = Backbone(
        "globe", grid, np.ones(shape, bool), 5.0, 1.0, GENERIC_ETAS.at(5.0), rates, rates,
        (400.0, 900.0), BANDS,
    )  # fmt: skip
    sums = []
    for longitude in (-180.0, 180.0, 0.0, 35.0, 175.0):
        event = [np.array([v]) for v in (ISSUE - 0.5, longitude, 12.5, 6.0)]
        cells = features(event, globe)
        sums.append(column(cells, "count_far_1").sum())
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    pole = [np.array([v]) for v in (ISSUE - 0.5, 20.0, 90.0, 6.0)]
    far = column(features(pole, globe), "count_far_1").reshape(shape)
    assert (far[0] > 0.9).all()
    np.testing.assert_allclose(far[2], far[2, 0], rtol=1e-5)


def test_no_event_is_an_answer():
    """Without events there is the background, and zeros."""
    cells = features([np.zeros(0)] * 4)
    assert not cells.values[:, : FEATURES.index("background")].any()
    assert (cells.background > 0).all()
    assert not cells.with_secondaries.any()


def test_wrong_events_are_refused():
    events = make_events(20)
    with pytest.raises(EventsError, match="one time"):
        features([events[0][:5], *events[1:]])
    nowhere = [values.copy() for values in events]
    nowhere[1][3] = np.inf
    nowhere[3][3] = 5.0
    with pytest.raises(EventsError, match="finite"):
        features(nowhere)
    with pytest.raises(EventsError, match="positive"):
        features(events, horizon=0.0)
    with pytest.raises(EventsError, match="rise"):
        next(each_features(make_backbone(), *events, issues_days=[2.0, 1.0], horizon_days=1.0))
