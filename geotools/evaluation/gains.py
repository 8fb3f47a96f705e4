"""Information gain of one forecast over another: T and W tests, and intervals by whole months.

Log rates at the events and expected totals in, nats per event out. Earthquakes come in sequences:
the T interval takes events as independent and is far too narrow, the one by months is what to read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BlockGains", "Gain", "TTest", "WTest", "block_interval", "information_gain",
           "paired_t_test", "w_test"]  # fmt: skip

_FEWEST_RANKS = 10
"""With fewer differences the normal approximation of the W test means nothing."""


@dataclass(frozen=True, slots=True)
class TTest:
    """The paired T test: is the mean gain 0?"""

    gain: float
    """Nats per event."""
    interval: tuple[float, float]
    """Student's interval of the gain, events taken as independent; NaN with under 2 events."""
    statistic: float
    """Gain divided by its standard error."""
    p_value: float
    """Two-sided."""


@dataclass(frozen=True, slots=True)
class WTest:
    """Wilcoxon's signed ranks: is the median gain 0?"""

    statistic: float
    """Standard normal under the hypothesis; positive when the forecast is the better one."""
    p_value: float
    """Two-sided; NaN with under 10 events."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockGains:
    """Gains summed over blocks of time that are resampled whole, such as calendar months."""

    labels: NDArray[np.int64]
    """(blocks,) which block, rising."""
    gains: NDArray[np.float64]
    """(blocks,) nats gained in the block."""
    events: NDArray[np.int64]
    """(blocks,) events in the block."""

    @property
    def won(self) -> int:
        """Blocks in which the gain was above 0."""
        return int((self.gains > 0).sum())

    def without_best(self, blocks: int = 2) -> float:
        """Nats per event when the blocks of the largest gains are left out; NaN if none is left."""
        kept = np.argsort(self.gains, kind="stable")[: max(len(self.gains) - blocks, 0)]
        return _ratio(self.gains[kept].sum(), int(self.events[kept].sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """One forecast against another on the same events."""

    model: str
    """The forecast."""
    baseline: str
    """What it is compared with."""
    events: int
    """Events that both were scored on."""
    per_event: float
    """Nats per event; -inf when the forecast was 0 where an event fell, NaN when both were."""
    month_interval: tuple[float, float]
    """95 % by resampling whole blocks, months in general."""
    t: TTest
    """Events taken as independent."""
    w: WTest
    """By ranks."""
    months: BlockGains
    """The gain by blocks."""
    zero_rate_events: int
    """Events where the forecast, the baseline or both were 0."""


def paired_t_test(
    log_rates: ArrayLike,
    baseline_log_rates: ArrayLike,
    total: float,
    baseline_total: float,
    *,
    level: float = 0.95,
) -> TTest:
    """The paired T test (Rhoades et al. 2011, eq. 17 and 18).

    Args:
        log_rates: (events,) logarithm of the forecast's rate in each event's cell and bin.
        baseline_log_rates: the same of the baseline.
        total: events that the forecast expects in all.
        baseline_total: the same of the baseline.
        level: of the interval.
    """
    from scipy.special import stdtr, stdtrit

    difference = _difference(log_rates, baseline_log_rates)
    count = len(difference)
    gain = _ratio(difference.sum() - (total - baseline_total), count)
    if count < 2 or not np.isfinite(difference).all():
        return TTest(gain, (math.nan, math.nan), math.nan, math.nan)
    error = float(difference.std(ddof=1)) / math.sqrt(count)
    reach = float(stdtrit(count - 1, (1 + level) / 2)) * error
    # Without an error every event gains the same.
    statistic = gain / error if error else math.copysign(math.inf, gain) if gain else 0.0
    p_value = 2 * float(stdtr(count - 1, -abs(statistic)))
    return TTest(gain, (gain - reach, gain + reach), statistic, p_value)


def w_test(
    log_rates: ArrayLike, baseline_log_rates: ArrayLike, total: float, baseline_total: float
) -> WTest:
    """Wilcoxon's signed-rank test of the gains of the events (Rhoades et al. 2011).

    Normal approximation with the correction for ties and without one for continuity; gains of
    exactly 0 are left out, as Wilcoxon did. Arguments as `paired_t_test`.
    """
    difference = _difference(log_rates, baseline_log_rates)
    if not len(difference) or np.isnan(difference).any():
        return WTest(math.nan, math.nan)
    shifted = difference - (total - baseline_total) / len(difference)
    shifted = shifted[shifted != 0]
    count = len(shifted)
    if count < _FEWEST_RANKS:
        return WTest(math.nan, math.nan)
    _, place, times = np.unique(np.abs(shifted), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # ties share their mean rank
    middle = count * (count + 1) / 4
    variance = count * (count + 1) * (2 * count + 1) / 24 - (times**3 - times).sum() / 48
    statistic = (float(ranks[shifted > 0].sum()) - middle) / math.sqrt(variance)
    return WTest(statistic, math.erfc(abs(statistic) / math.sqrt(2)))


def block_interval(
    sums: ArrayLike, weights: ArrayLike, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of sum / weight when whole blocks are drawn again with replacement.

    Args:
        sums: (blocks,) such as the nats gained in each month.
        weights: (blocks,) such as the events of each month.
        level: share of the draws inside the interval.
        draws: how many resamples.
        seed: fixes them.

    Returns:
        Lower and upper end; NaN with under 2 blocks, -inf or inf where draws are.
    """
    sums, weights = np.asarray(sums, np.float64), np.asarray(weights, np.float64)
    count = len(sums)
    if count < 2 or np.isnan(sums).any():
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    figures = np.full(draws, np.nan)
    for draw in range(draws):
        drawn = rng.integers(0, count, count)
        with np.errstate(invalid="ignore"):  # inf and -inf in one draw say nothing
            figures[draw] = _ratio(sums[drawn].sum(), weights[drawn].sum())
    figures = figures[~np.isnan(figures)]
    if not len(figures):
        return math.nan, math.nan
    # No interpolation: between a number and -inf there is none.
    ends = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return float(ends[0]), float(ends[1])


def information_gain(
    log_rates: ArrayLike,
    baseline_log_rates: ArrayLike,
    totals: ArrayLike,
    baseline_totals: ArrayLike,
    *,
    event_windows: ArrayLike,
    window_blocks: ArrayLike,
    names: tuple[str, str] = ("forecast", "baseline"),
    seed: int = 0,
) -> Gain:
    """The gain of a forecast over a baseline in a run of windows, with all its intervals.

    Args:
        log_rates: (events,) logarithm of the forecast's rate in each event's window, cell and bin.
        baseline_log_rates: the same of the baseline.
        totals: (windows,) events that the forecast expects in each window.
        baseline_totals: the same of the baseline.
        event_windows: (events,) index of each event's window.
        window_blocks: (windows,) the block of each window, such as year x 12 + month.
        names: of the forecast and of the baseline.
        seed: fixes the resampling.

    Raises:
        EventsError: arrays whose lengths do not fit.
    """
    difference = _difference(log_rates, baseline_log_rates)
    surplus = np.asarray(totals, np.float64) - np.asarray(baseline_totals, np.float64)
    windows, blocks = np.asarray(event_windows, np.int64), np.asarray(window_blocks, np.int64)
    if len(windows) != len(difference) or len(blocks) != len(surplus):
        raise EventsError(
            f"{len(difference)} events in {len(windows)} windows, {len(surplus)} totals for "
            f"{len(blocks)} windows: give one of each."
        )
    labels, place = np.unique(blocks, return_inverse=True)
    of_event = place[windows]
    gains, events = np.zeros(len(labels)), np.zeros(len(labels), np.int64)
    np.subtract.at(gains, place, surplus)
    np.add.at(gains, of_event, difference)
    np.add.at(events, of_event, 1)
    total, baseline_total = float(np.sum(totals)), float(np.sum(baseline_totals))
    t = paired_t_test(log_rates, baseline_log_rates, total, baseline_total)
    return Gain(
        *names,
        events=len(difference),
        per_event=t.gain,
        month_interval=block_interval(gains, events, seed=seed),
        t=t,
        w=w_test(log_rates, baseline_log_rates, total, baseline_total),
        months=BlockGains(labels, gains, events),
        zero_rate_events=int((~np.isfinite(difference)).sum()),
    )


def _difference(log_rates: ArrayLike, baseline_log_rates: ArrayLike) -> NDArray[np.float64]:
    """Gains of the events before the totals; NaN where both rates are 0."""
    ours, theirs = np.asarray(log_rates, np.float64), np.asarray(baseline_log_rates, np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise EventsError(
            f"Log rates of shape {ours.shape} and {theirs.shape}: give one of each per event."
        )
    with np.errstate(invalid="ignore"):
        return ours - theirs


def _ratio(total: float, count: float) -> float:
    return float(total) / float(count) if count else math.nan
