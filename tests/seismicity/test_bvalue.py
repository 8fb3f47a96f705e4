"""geotools.seismicity.bvalue and rates: slopes, their errors, and rates."""

import math

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.seismicity.bvalue import a_value, b_positive, b_value
from geotools.seismicity.rates import (
    completeness_at,
    event_weights,
    exposure_days,
    poisson_interval,
    rate,
)


def magnitudes(n: int, *, b: float = 1.0, mc: float = 3.0, delta_m: float = 0.1, seed: int = 0):
    """Exponential magnitudes that are complete from the lower edge of mc's bin, in bins."""
    random = np.random.default_rng(seed)
    values = mc - delta_m / 2 + random.exponential(1 / (b * math.log(10)), n)
    return np.floor(values / delta_m + 0.5) * delta_m if delta_m else values


@pytest.mark.parametrize("delta_m", [0.0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("b", [0.7, 1.0, 1.4])
def test_known_b_is_found(b, delta_m):
    """A catalog of known b gives it back within three standard errors, whatever the bins."""
    found = b_value(magnitudes(20_000, b=b, delta_m=delta_m), mc=3.0, delta_m=delta_m)
    assert found.n == 20_000
    assert abs(found.b - b) < 3 * found.error
    # with narrow bins the error is b / sqrt(n) (Aki 1965)
    if delta_m < 0.2:
        assert found.error == pytest.approx(b / math.sqrt(20_000), rel=0.05)


def test_error_is_the_scatter_of_samples():
    """Shi & Bolt's error is the standard deviation of b over many catalogs."""
    found = [b_value(magnitudes(400, seed=seed), mc=3.0) for seed in range(300)]
    scatter = np.std([one.b for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.12)


def test_closed_forms():
    """Two events at 3.0 and one at 3.3: mean excess 0.1."""
    three = np.array([3.0, 3.3, 3.0])
    assert b_value(three, mc=3.0).b == pytest.approx(math.log10(2) / 0.1)
    assert b_value(three, mc=3.0, method="utsu").b == pytest.approx(math.log10(math.e) / 0.15)
    b = b_value(three, mc=3.0)
    squares = 2 * 0.1**2 + 0.2**2
    assert b.error == pytest.approx(math.log(10) * b.b**2 * math.sqrt(squares / 6))


def test_completeness_of_each_event_is_honoured():
    """Years complete to 4 and years complete to 3 give one b; the constant mc would not."""
    early = magnitudes(4000, mc=4.0, b=0.9, seed=1)
    late = magnitudes(6000, mc=3.0, b=0.9, seed=2)
    both = np.concatenate([early, late])
    mc = np.repeat([4.0, 3.0], [4000, 6000])
    found = b_value(both, mc=mc)
    assert found.n == 10_000
    assert abs(found.b - 0.9) < 3 * found.error
    assert abs(b_value(both, mc=3.0).b - 0.9) > 10 * found.error


def test_b_positive_sees_through_incompleteness():
    """After large events small ones are missed: b falls, b-positive stays."""
    random = np.random.default_rng(3)
    true = magnitudes(40_000, b=1.0, mc=2.0)
    time = np.arange(true.size, dtype=float)
    threshold = 2.0 + 1.2 * np.exp(-(time % 1000) / 200)
    seen = true >= threshold
    time, true = time[seen], true[seen]
    found = b_positive(time, true)
    assert abs(found.b - 1.0) < 4 * found.error
    assert b_value(true, mc=2.0).b < 0.95
    order = random.permutation(time.size)
    assert b_positive(time[order], true[order]) == found


@pytest.mark.parametrize(
    ("values", "mc"), [([5.0], 4.0), ([5.0, 5.0, 5.0], 4.0), ([2.0, 2.1], 4.0)]
)
def test_no_b_without_two_bins(values, mc):
    """One event, events of one magnitude, or none above completeness have no b."""
    found = b_value(np.array(values), mc=mc)
    assert math.isnan(found.b)
    assert math.isnan(found.error)


def test_unknown_magnitudes_are_left_out():
    """NaN among the magnitudes changes nothing; nothing but NaN is an error."""
    values = magnitudes(500)
    holes = np.insert(values, [0, 250, 500], np.nan)
    assert b_value(holes, mc=3.0) == b_value(values, mc=3.0)
    for empty in (np.array([]), np.array([np.nan])):
        with pytest.raises(EventsError, match="No event has a magnitude"):
            b_value(empty, mc=3.0)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([3.0, np.inf], {"mc": 3.0}, "cannot be"),
        ([3.0, 5000.0], {"mc": 3.0}, "another column"),
        ([3.0, 4.0], {"mc": np.nan}, "no number"),
        ([3.0, 4.0], {"mc": [3.0, 3.0, 3.0]}, "one per event"),
        ([3.0, 4.0], {"mc": 3.0, "delta_m": -1.0}, "bins"),
        ([3.0, 4.0], {"mc": 3.0, "method": "guess"}, "unknown"),
        ([[3.0, 4.0]], {"mc": 3.0}, "one per event"),
    ],
)
def test_bad_input_is_one_sentence(values, options, message):
    """What cannot be is refused and said."""
    with pytest.raises(EventsError, match=message):
        b_value(np.array(values), **options)


def test_a_value():
    """10^(a - b mc) is the number of events."""
    assert a_value(1000, 1.0, 3.0) == pytest.approx(6.0)
    assert a_value(0, 1.0, 3.0) == -math.inf


def test_rate_with_changing_completeness():
    """Ten years complete to 4 and ten to 3, at 100 a year of M 3 and more, give 100 a year."""
    random = np.random.default_rng(5)
    time = np.sort(random.uniform(0, 20, 2000))
    values = magnitudes(2000, mc=3.0, seed=6)
    mc = completeness_at(time, [0.0, 10.0], [4.0, 3.0])
    assert set(mc) == {4.0, 3.0}
    seen = values >= mc - 0.05
    found = rate(values[seen], years=20, reference=3.0, mc=mc[seen], b=1.0)
    assert found.per_year == pytest.approx(100, abs=3 * found.error)
    assert found.error < 10
    assert found.n == seen.sum()
    days = exposure_days([0.0, 10.0], [4.0, 3.0], start_days=0, end_days=20, reference=3.0, b=1.0)
    assert days == pytest.approx(10 + 1.0)
    assert found.n / days == pytest.approx(100, abs=8)
    assert completeness_at(np.array([-1.0]), [0.0], [3.0])[0] == np.inf


def test_weights():
    """An event that was complete only from 4 stands for ten of 3 and more; others weigh 0 or 1."""
    weights = event_weights(
        np.array([3.0, 2.9, 4.2, 3.9, np.nan]), reference=3.0,
        mc=np.array([3.0, 3.0, 4.0, 4.0, 3.0]), b=1.0,
    )  # fmt: skip
    assert weights.tolist() == pytest.approx([1, 0, 10, 0, 0])
    with pytest.raises(EventsError, match="years"):
        rate(np.array([4.0]), years=0, reference=3.0, mc=3.0)


def test_poisson_interval():
    """Garwood's table: 0 events up to 3.689, 10 events 4.795 to 18.39 at 95 %."""
    low, high = poisson_interval(np.array([0, 10]))
    assert low.tolist() == pytest.approx([0, 4.795], abs=1e-3)
    assert high.tolist() == pytest.approx([3.689, 18.39], abs=1e-2)
