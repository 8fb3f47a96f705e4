"""Tests and scores against pyCSEP, which is needed here and nowhere else.

    python benchmarks/forecast_tests.py

Both see the same forecast and events. Where a test simulates, both are given the same random
numbers (pyCSEP's calls of numpy.random are answered with ours), so that every simulated
log-likelihood can be compared. Prints the largest difference for each test.
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from unittest.mock import patch

import matplotlib
import numpy as np
from csep.core import binomial_evaluations as binary
from csep.core import brier_evaluations as brier
from csep.core import poisson_evaluations as poisson
from csep.utils.plots import plot_Molchan_diagram

from geotools.evaluation import csep_tests
from geotools.evaluation.gains import paired_t_test, w_test
from geotools.evaluation.molchan import molchan
from geotools.evaluation.reliability import brier_score

CELLS, BINS, SIMULATIONS, SEED = 400, 5, 300, 17


def make_case(rng: np.random.Generator, total: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rates, a second forecast, counts); cells by rising rate, as our draws order them."""
    places = rng.lognormal(0, 1.8, (CELLS, 1))
    rates = places * 10.0 ** -(np.arange(BINS) * 0.4)
    rates = np.sort(rates.ravel()).reshape(CELLS, BINS) * total / rates.sum()
    other = rates * rng.lognormal(0.1, 0.5, rates.shape)
    return rates, other, rng.poisson(rates * rng.lognormal(0, 0.4, rates.shape))


def uniforms(rates: np.ndarray, number: int | None) -> tuple[list[int], list[np.ndarray]]:
    """The numbers of events and the uniform variates that our simulations use."""
    rng = np.random.default_rng(SEED)
    counts, numbers = [], []
    for _ in range(SIMULATIONS):
        counts.append(int(rng.poisson(rates.sum())) if number is None else number)
        numbers.append(rng.random(counts[-1]))
    return counts, numbers


def poisson_difference(name: str, rates: np.ndarray, counts: np.ndarray) -> float:
    """Largest difference of observed, simulated and quantile of L, CL, S or M."""
    run = {
        "L": csep_tests.likelihood_test,
        "CL": csep_tests.conditional_likelihood_test,
        "S": csep_tests.spatial_test,
        "M": csep_tests.magnitude_test,
    }[name]
    if name == "S":
        rates, counts = rates.sum(axis=1), counts.sum(axis=1)
    if name == "M":  # their bins by rising rate, ours do not depend on the order
        order = np.argsort(rates.sum(axis=0))
        rates, counts = rates[:, order], counts[:, order]
    ours = run(rates, counts, simulations=SIMULATIONS, seed=SEED)
    if name == "M":
        rates, counts = rates.sum(axis=0), counts.sum(axis=0)
    events, numbers = uniforms(rates, None if name == "L" else int(counts.sum()))
    given_events, given_numbers = iter(events), iter(numbers)
    with (
        patch("numpy.random.poisson", lambda _: next(given_events)),
        patch("numpy.random.rand", lambda _: next(given_numbers)),
    ):
        quantile, observed, simulated = poisson._poisson_likelihood_test(
            rates, counts, num_simulations=SIMULATIONS, use_observed_counts=name != "L",
            normalize_likelihood=name in "SM",
        )  # fmt: skip
    return max(
        float(np.abs(np.array(simulated) - ours.simulated).max()),
        abs(observed - ours.observed),
        abs(quantile - ours.quantile),
    )


def binary_difference(rates: np.ndarray, counts: np.ndarray) -> float:
    """Largest difference of the binary S test; cells are handed over in our order of draws."""
    rates, counts = rates.sum(axis=1), counts.sum(axis=1)
    ours = csep_tests.binary_spatial_test(rates, counts, simulations=SIMULATIONS, seed=SEED)
    rng = np.random.default_rng(SEED)
    ends = np.cumsum(rates) / rates.sum()
    middles = ends - np.diff(ends, prepend=0) / 2
    drawn: list[float] = []
    for _ in range(SIMULATIONS):
        first = rng.standard_exponential(len(rates)) / rates
        drawn += list(middles[np.argsort(first)[: (counts > 0).sum()]])
    given = iter(drawn)
    with patch("numpy.random.uniform", lambda *_: next(given)):
        quantile, observed, simulated = binary._binary_likelihood_test(
            rates, counts, num_simulations=SIMULATIONS
        )
    return max(
        float(np.abs(np.array(simulated) - ours.simulated).max()),
        abs(observed - ours.observed),
        abs(quantile - ours.quantile),
    )


def gain_difference(rates: np.ndarray, other: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Largest difference of the T test, and of the W test."""
    at = np.repeat(np.arange(rates.size), counts.ravel())
    ours, theirs = rates.ravel()[at], other.ravel()[at]
    first, second, number = rates.sum(), other.sum(), int(counts.sum())
    t = paired_t_test(np.log(ours), np.log(theirs), first, second)
    w = w_test(np.log(ours), np.log(theirs), first, second)
    known = poisson._t_test_ndarray(ours, theirs, number, first, second)
    ranks = poisson._w_test_ndarray(np.log(ours) - np.log(theirs), (first - second) / number)
    return {
        "T": max(
            abs(t.gain - known["information_gain"]),
            abs(t.interval[0] - known["ig_lower"]),
            abs(t.interval[1] - known["ig_upper"]),
            abs(t.statistic - known["t_statistic"]),
        ),
        "W": max(abs(abs(w.statistic) - abs(ranks["z_statistic"])),
                 abs(w.p_value - ranks["probability"])),
    }  # fmt: skip


def number_difference(expected: float, observed: int) -> dict[str, float]:
    """Largest difference of both N tests."""
    n = csep_tests.number_test(expected, observed)
    known = poisson._number_test_ndarray(expected, observed)
    nb = csep_tests.negative_binomial_number_test(expected, observed, 3 * expected)
    other = binary._nbd_number_test_ndarray(expected, observed, 3 * expected)
    return {
        "N": float(np.abs(np.subtract((n.delta1, n.delta2), known)).max()),
        "N, negative binomial": float(np.abs(np.subtract((nb.delta1, nb.delta2), other)).max()),
    }


def molchan_difference(rates: np.ndarray, counts: np.ndarray) -> float:
    """Largest difference of the trajectory; theirs counts cells with events, by equal areas."""
    rates, active = rates.sum(axis=1), (counts.sum(axis=1) > 0).astype(int)
    ours = molchan(rates, active, np.ones(len(rates)))
    names = {"region": 0, "name": ""}
    axes = plot_Molchan_diagram(
        SimpleNamespace(spatial_counts=lambda: rates, **names),
        SimpleNamespace(spatial_counts=lambda: active, **names),
        show=False, savepdf=False, savepng=False,
    )  # fmt: skip
    share, miss = axes.lines[0].get_data()
    levels = len(ours.share)  # theirs ends with all cells twice
    return max(
        float(np.abs(share[:levels].astype(float) - ours.share).max()),
        float(np.abs(miss[:levels].astype(float) - ours.miss).max()),
    )


def main() -> None:
    matplotlib.use("Agg")
    warnings.simplefilter("ignore", DeprecationWarning)
    worst: dict[str, float] = {}
    rng = np.random.default_rng(1)
    for total in (3.0, 40.0, 900.0):
        rates, other, counts = make_case(rng, total)
        found = number_difference(float(rates.sum()), int(counts.sum()))
        for name in ("L", "CL", "S", "M"):
            found[name] = poisson_difference(name, rates, counts)
        found["binary S"] = binary_difference(rates, counts)
        if counts.sum() >= 20:
            found |= gain_difference(rates, other, counts)
        found["Molchan"] = molchan_difference(rates, counts)
        score = brier._brier_score_ndarray(rates, counts)  # theirs is -2 times the mean
        found["Brier"] = abs(-2 * brier_score(-np.expm1(-rates), counts > 0) - score)
        for name, difference in found.items():
            worst[name] = max(worst.get(name, 0.0), difference)
    for name, difference in worst.items():
        print(f"{name:22}{difference:.1e}  {'equal to 1e-9' if difference < 1e-9 else 'DIFFERS'}")


if __name__ == "__main__":
    main()
