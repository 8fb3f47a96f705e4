"""A run of forecasts and its record."""

from __future__ import annotations

import math

import numpy as np
import pytest
from forecast_runs import make_windows

from geotools.errors import EventsError
from geotools.evaluation.forecasts import Observed, score_forecasts


def by_hand(windows, name):
    """(sum of log rates, total) by plain loops."""
    logs = total = 0.0
    for forecasts, observed in windows:
        rates = forecasts[name].rates
        total += rates.data[:, rates.valid].sum()
        for lon, lat, mag in zip(
            observed.longitude, observed.latitude, observed.magnitude, strict=True
        ):
            col, row = int((lon - 10.0) // 0.5), int((48.0 - lat) // 0.5)
            logs += math.log(rates.data[int(mag >= 4.0), row, col])
    return logs, total


def test_the_record_is_what_plain_loops_count():
    windows = list(make_windows())
    record = score_forecasts(windows)
    assert record.names == ("model", "smoothed", "uniform")
    for name in record.names:
        logs, total = by_hand(windows, name)
        assert record.log_rates[name].sum() == pytest.approx(logs, rel=1e-12)
        assert record.totals[name].sum() == pytest.approx(total, rel=1e-12)
        assert record.rates[name].sum() == pytest.approx(total, rel=1e-12)
        assert np.nansum(record.map(name)) == pytest.approx(total, rel=1e-12)
    assert record.counts.sum() == record.observed.sum() == len(record.event_days)
    assert record.left_out == {}
    first, total = by_hand(windows, "model")
    other, other_total = by_hand(windows, "uniform")
    gain = record.gain("model", "uniform")
    events = len(record.event_days)
    assert gain.per_event == pytest.approx((first - other - total + other_total) / events)
    assert record.cumulative_gain("model", "uniform")[-1] == pytest.approx(gain.per_event * events)
    assert gain.months.labels[0] == 2015 * 12  # January


def test_the_true_model_wins_and_is_consistent():
    record = score_forecasts(make_windows(200, seed=3))
    assert record.gain("model", "smoothed").month_interval[0] > 0
    assert record.gain("smoothed", "uniform").per_event > 0.1
    for test in record.tests("model", simulations=200):
        assert test.verdict() == "consistent at 5 %", test.name
    spatial = {test.name: test for test in record.tests("uniform", simulations=200)}["S"]
    assert spatial.verdict() == "not consistent at 5 %"
    assert record.molchan("model", "smoothed").skill > 0.6
    for name in ("smoothed", "uniform"):
        assert record.molchan(name, name).skill == pytest.approx(0.5, abs=1e-12)


def test_a_forecast_gains_nothing_where_events_follow_the_baseline():
    record = score_forecasts(make_windows(100, truth="smoothed"))
    assert record.gain("model", "smoothed").month_interval[1] < 0


def test_the_order_of_the_events_changes_nothing():
    def shuffled():
        rng = np.random.default_rng(3)
        for forecasts, seen in make_windows(20):
            order = rng.permutation(len(seen.time_days))
            yield forecasts, Observed(
                seen.time_days[order], seen.longitude[order], seen.latitude[order],
                seen.magnitude[order],
            )  # fmt: skip

    first, second = score_forecasts(make_windows(20)), score_forecasts(shuffled())
    np.testing.assert_array_equal(second.counts, first.counts)
    gains = [run.gain("model", "uniform").per_event for run in (first, second)]
    assert gains[1] == pytest.approx(gains[0], rel=1e-12)


def test_a_grid_across_the_date_line_sees_its_events():
    here = score_forecasts(make_windows(20))
    there = score_forecasts(make_windows(20, left=178.0))
    np.testing.assert_array_equal(there.counts, here.counts)
    assert there.left_out == {}


def with_events(**columns):
    """One window whose events are these; outside the rest."""
    forecasts, _ = next(make_windows(1))
    day = forecasts["model"].start.timestamp() / 86_400
    count = len(next(iter(columns.values())))
    given = {
        "time_days": np.full(count, day), "longitude": np.full(count, 13.2),
        "latitude": np.full(count, 46.1), "magnitude": np.full(count, 3.5),
    }  # fmt: skip
    given |= {name: np.array(values, float) for name, values in columns.items()}
    return [(forecasts, Observed(**given))]


def test_events_that_are_not_scored_are_counted_by_reason():
    seen = with_events(
        longitude=[13.2, 13.2, 13.2, 40.0, 10.2, 13.2],
        latitude=[46.1, 46.1, 46.1, 46.1, 47.9, 46.1],
        magnitude=[3.0, 2.9, np.nan, 5.0, 5.0, 4.0],
    )
    record = score_forecasts(seen)
    assert record.observed.tolist() == [2]
    assert record.counts.sum(axis=0).tolist() == [1, 1]
    assert record.left_out == {
        "without magnitude": 1, "below the lowest magnitude": 1, "outside the region": 2,
    }  # fmt: skip


def test_a_higher_threshold_leaves_out_rates_and_events():
    seen = with_events(magnitude=[3.5, 4.5])
    record = score_forecasts(seen, min_magnitude=4.0)
    assert record.magnitudes == (4.0,)
    assert record.observed.tolist() == [1]
    assert record.totals["uniform"][0] == pytest.approx(0.2)
    with pytest.raises(EventsError, match="no edge"):
        score_forecasts(seen, min_magnitude=3.3)


def test_a_zero_rate_at_an_event_stays_in_the_record():
    (forecasts, seen), *_ = with_events(magnitude=[3.5])
    forecasts["model"].rates.data[:] = 0.0
    record = score_forecasts([(forecasts, seen)])
    gain = record.gain("model", "uniform")
    assert gain.per_event == -math.inf
    assert gain.zero_rate_events == 1


def test_what_cannot_be_compared_is_refused():
    windows = list(make_windows(2))
    with pytest.raises(EventsError, match="no window"):
        score_forecasts([])
    with pytest.raises(EventsError, match="twice"):
        score_forecasts([windows[0], windows[0]])
    with pytest.raises(EventsError, match="other times"):
        score_forecasts([(windows[0][0], windows[1][1])])
    with pytest.raises(EventsError, match="same in every window"):
        score_forecasts([windows[0], ({"model": windows[1][0]["model"]}, windows[1][1])])
    mixed = {**windows[0][0], "uniform": windows[1][0]["uniform"]}
    with pytest.raises(EventsError, match="differs"):
        score_forecasts([(mixed, windows[0][1])])
