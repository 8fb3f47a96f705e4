"""Information gain, reliability and Molchan diagrams in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from geotools.errors import EventsError
from geotools.evaluation.gains import (
    block_interval,
    information_gain,
    paired_t_test,
    w_test,
)
from geotools.evaluation.molchan import AlarmTally, molchan
from geotools.evaluation.reliability import ReliabilityTally, brier_score, wilson_interval


def test_t_test_by_hand():
    """Gains 1, 2 and 6 and one event more expected: mean 3 - 1/3, deviation sqrt(7)."""
    found = paired_t_test([1.0, 2.0, 6.0], [0.0, 0.0, 0.0], 5.0, 4.0)
    error = math.sqrt(7 / 3)
    assert found.gain == pytest.approx(3 - 1 / 3)
    assert found.statistic == pytest.approx((3 - 1 / 3) / error)
    reach = 4.302652729911275 * error  # Student's t, 2 degrees of freedom, 97.5 %
    assert found.interval == pytest.approx((found.gain - reach, found.gain + reach))
    # Two degrees of freedom have a closed form: P = 1 - t / sqrt(2 + t^2).
    t = found.statistic
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t**2))


def test_w_test_is_wilcoxons():
    rng = np.random.default_rng(0)
    gains = np.round(rng.normal(0.3, 1, 80), 1)  # rounded: ties and zeros
    found = w_test(gains, np.zeros(80), 3.0, 3.0)
    other = stats.wilcoxon(gains, correction=False, zero_method="wilcox", method="asymptotic")
    assert found.p_value == pytest.approx(other.pvalue, rel=1e-10)
    assert found.statistic > 0  # the forecast is the better one
    assert w_test(-gains, np.zeros(80), 3.0, 3.0).statistic == pytest.approx(-found.statistic)


def test_few_events_have_no_w_test():
    assert math.isnan(w_test(np.ones(9), np.zeros(9), 1.0, 1.0).p_value)


def make_run(seed: int = 0, windows: int = 400, clustered: bool = True):
    """(log rates, baseline's, totals, baseline's, event windows, months): months differ."""
    rng = np.random.default_rng(seed)
    months = np.arange(windows) // 20
    event_windows = np.sort(rng.integers(0, windows, 600))
    level = rng.normal(0.2, 1.0, months.max() + 1)[months[event_windows]] if clustered else 0.2
    gains = level + rng.normal(0, 0.5, 600)
    base = rng.normal(-8, 1, 600)
    totals = rng.gamma(2, 0.7, windows)
    return base + gains, base, totals, totals[::-1].copy(), event_windows, months


def test_a_forecast_gains_nothing_over_itself():
    logs, _, totals, _, windows, months = make_run()
    found = information_gain(
        logs, logs, totals, totals, event_windows=windows, window_blocks=months
    )
    assert found.per_event == 0
    assert found.month_interval == (0, 0)
    assert (found.t.interval, found.t.p_value) == ((0, 0), 1)
    assert found.months.won == 0


def test_the_months_add_up_to_the_gain():
    logs, base, totals, other, windows, months = make_run()
    found = information_gain(logs, base, totals, other, event_windows=windows, window_blocks=months)
    assert found.months.gains.sum() / 600 == pytest.approx(found.per_event, rel=1e-12)
    by_hand = (logs - base).sum() - totals.sum() + other.sum()
    assert found.per_event == pytest.approx(by_hand / 600, rel=1e-12)
    worst = np.argsort(found.months.gains)[:-2]
    kept = found.months.gains[worst].sum() / found.months.events[worst].sum()
    assert found.months.without_best() == pytest.approx(kept)
    back = information_gain(base, logs, other, totals, event_windows=windows, window_blocks=months)
    assert back.per_event == pytest.approx(-found.per_event)


def test_months_make_a_wider_interval_than_events_where_events_come_in_clusters():
    logs, base, totals, _, windows, months = make_run(clustered=True)
    found = information_gain(
        logs, base, totals, totals, event_windows=windows, window_blocks=months
    )
    (low, high), (block_low, block_high) = found.t.interval, found.month_interval
    assert block_high - block_low > 2 * (high - low)
    assert block_low < found.per_event < block_high


def test_months_and_events_agree_where_events_are_independent():
    logs, base, totals, _, windows, months = make_run(clustered=False)
    found = information_gain(
        logs, base, totals, totals, event_windows=windows, window_blocks=months
    )
    (low, high), (block_low, block_high) = found.t.interval, found.month_interval
    assert block_high - block_low == pytest.approx(high - low, rel=0.5)


def test_the_order_of_the_events_changes_nothing():
    logs, base, totals, other, windows, months = make_run()
    order = np.random.default_rng(2).permutation(600)
    first = information_gain(logs, base, totals, other, event_windows=windows, window_blocks=months)
    second = information_gain(
        logs[order], base[order], totals, other, event_windows=windows[order],
        window_blocks=months,
    )  # fmt: skip
    assert second.per_event == pytest.approx(first.per_event, rel=1e-12)
    assert second.month_interval == pytest.approx(first.month_interval, rel=1e-9)
    assert second.w.p_value == pytest.approx(first.w.p_value, rel=1e-9)


def test_a_zero_rate_at_an_event_is_minus_infinity_and_counted():
    logs, base, totals, other, windows, months = make_run()
    logs[3] = -math.inf
    found = information_gain(logs, base, totals, other, event_windows=windows, window_blocks=months)
    assert found.per_event == -math.inf
    assert found.zero_rate_events == 1
    assert found.month_interval[0] == -math.inf
    assert math.isnan(found.t.p_value)
    base[3] = -math.inf
    both = information_gain(logs, base, totals, other, event_windows=windows, window_blocks=months)
    assert math.isnan(both.per_event)
    assert both.zero_rate_events == 1


def test_without_events_there_is_no_gain_per_event():
    found = information_gain([], [], [1.0], [2.0], event_windows=[], window_blocks=[0])
    assert math.isnan(found.per_event)
    assert found.events == 0


def test_one_month_has_no_interval():
    assert all(map(math.isnan, block_interval([3.0], [2.0])))


def test_lengths_that_differ_are_refused():
    with pytest.raises(EventsError):
        paired_t_test([1.0], [1.0, 2.0], 1.0, 1.0)
    with pytest.raises(EventsError):
        information_gain([1.0], [1.0], [1.0], [1.0], event_windows=[0, 0], window_blocks=[0])


def test_brier_score_by_hand():
    assert brier_score([0.2, 0.9], [False, True]) == pytest.approx((0.04 + 0.01) / 2)


def test_the_tally_is_the_table_of_everything_at_once():
    """Windows added one by one give the score of all, and the classes hold their means."""
    rng = np.random.default_rng(3)
    probability = 10 ** rng.uniform(-6, 0, (40, 500))
    occurred = rng.random((40, 500)) < probability
    tally = ReliabilityTally()
    for row, outcome in zip(probability, occurred, strict=True):
        tally.add(row, outcome)
    table = tally.table()
    assert table.brier == pytest.approx(brier_score(probability, occurred), rel=1e-12)
    assert table.cells.sum() == probability.size
    assert table.hits.sum() == occurred.sum()
    # It is calibrated: nearly every class covers its mean probability.
    inside = (table.interval[:, 0] <= table.mean) & (table.mean <= table.interval[:, 1])
    assert inside[table.cells > 0].mean() >= 0.8


def test_a_certain_probability_is_in_the_last_class():
    tally = ReliabilityTally()
    tally.add([0.0, 1.0], [False, True])
    table = tally.table()
    assert (table.cells[0], table.cells[-1], table.brier) == (1, 1, 0.0)


def test_wilson_interval_of_a_known_case():
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    found = wilson_interval([81, 0], [263, 20])
    np.testing.assert_allclose(found, [[0.2553, 0.3662], [0.0, 0.1611]], atol=5e-5)
    assert np.isnan(wilson_interval(0, 0)).all()


def test_probabilities_beyond_one_are_refused():
    with pytest.raises(EventsError):
        brier_score([1.2], [True])


def test_molchan_by_hand():
    """Three cells of equal reference, two events in the best and one in the last."""
    found = molchan([3.0, 1.0, 2.0], [2, 1, 0], [1.0, 1.0, 1.0])
    np.testing.assert_allclose(found.share, [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(found.miss, [1, 1 / 3, 1 / 3, 0])
    assert found.skill == pytest.approx((2 * 5 / 6 + 1 / 6) / 3)
    # It is the area above the trajectory.
    assert found.skill == pytest.approx(1 - np.trapezoid(found.miss, found.share))


def test_an_alarm_that_says_nothing_has_a_skill_of_one_half():
    found = molchan(np.ones(50), np.arange(50), np.ones(50))
    assert found.skill == pytest.approx(0.5)


def test_events_of_the_reference_give_no_skill_to_any_alarm():
    rng = np.random.default_rng(1)
    reference = rng.lognormal(0, 2, 400)
    counts = rng.poisson(reference / reference.sum() * 20_000)
    for alarm in (reference, rng.random(400), -reference):
        found = molchan(alarm, counts, reference)
        assert found.skill == pytest.approx(0.5, abs=0.01)
    assert molchan(reference, counts, np.ones(400)).skill > 0.8


def test_the_tally_of_windows_is_the_diagram_of_all_cells():
    """Space and time together: windows added one by one are one long row of cells."""
    rng = np.random.default_rng(5)
    rates = 10 ** rng.uniform(-9, -1, (30, 200))
    reference = rng.random(200)
    counts = rng.poisson(rates * 5)
    tally = AlarmTally()
    for number, (row, hit) in enumerate(zip(rates, counts, strict=True)):
        tally.add(row, {"map": reference}, np.repeat(np.arange(200), hit), number // 3)
    exact = molchan(rates / reference, counts, np.tile(reference, (30, 1)))
    found = tally.diagram("map")
    assert found.skill == pytest.approx(exact.skill, abs=2e-3)
    assert found.events == exact.events
    low, high = tally.interval("map")
    assert low < found.skill < high


def test_without_events_there_is_no_skill():
    assert math.isnan(molchan([1.0, 2.0], [0, 0], [1.0, 1.0]).skill)
    tally = AlarmTally()
    tally.add(np.ones(3), {"map": np.ones(3)}, np.zeros(0, int), 0)
    assert math.isnan(tally.diagram("map").skill)
    assert all(map(math.isnan, tally.interval("map")))


def test_a_reference_of_nothing_is_refused():
    with pytest.raises(EventsError):
        molchan([1.0], [1], [0.0])
