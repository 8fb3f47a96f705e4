"""The maximisation step of the ETAS fit: parameters from histograms of who triggered whom.

Time and space enter the likelihood of the pairs separately, so that two histograms hold all that
the step needs, however many pairs there are; what every event could have triggered is held by
group of magnitude, ring of distance and age.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.seismicity.etas_parameters import EtasParameters, remaining_decay

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIME_BINS = (math.log(1e-6), 0.02, 1300)
"""Log of days: first bin, step, bins; a tenth of a second to 500 years."""
SPACE_BINS = (math.log(1e-4), 0.05, 560)
"""Log of km2: 10 m to the far side of the Earth."""
_AGES_EVERY = 8
"""Ages of sources are held at every so many bins of time: the integral is within 1e-3."""
_BOUNDS = (
    (0.01, 5.0),  # a
    (math.log(1e-8), math.log(10.0)),  # c, days
    (-0.9, 2.0),  # omega
    (math.log(3.0), math.log(1e5)),  # tau, days: no catalog knows more than 270 years
    (math.log(1e-4), math.log(1e5)),  # d, km2
    (0.0, 5.0),  # gamma
    (math.log(0.01), math.log(5.0)),  # rho
)
_GROUPS = 200
"""With more different magnitudes than this they are put into groups of 0.05."""


class Exposure:
    """What the sources could have triggered among the targets: where and for how long."""

    def __init__(
        self,
        time: NDArray[np.float64],
        magnitude: NDArray[np.float64],
        mc: float,
        window: tuple[float, float],
        radii_km: NDArray[np.float64],
        covered: NDArray[np.float64],
    ) -> None:
        values, group = np.unique(np.round(magnitude, 6), return_inverse=True)
        if len(values) > _GROUPS:
            _, group = np.unique(np.floor((magnitude - mc) / 0.05), return_inverse=True)
        self.group = group.astype(np.int64)
        members = np.bincount(group)
        self.above = np.bincount(group, magnitude) / members - mc  # (groups,) mean excess
        self._radii = radii_km  # (rings - 1,) outer radii; the last ring has no end
        first, step, bins = TIME_BINS
        self._ages = np.concatenate(
            (np.zeros(1), np.exp(first + step * np.arange(0, bins, _AGES_EVERY)))
        )
        # From the age at the start of the window to that at its end, in the ring's covered part.
        self._spans = np.zeros((len(members), covered.shape[1], len(self._ages)))
        start, end = window
        for sign, age in ((1.0, np.maximum(start - time, 0)), (-1.0, end - time)):
            above = np.searchsorted(self._ages, age, side="right")
            above = np.clip(above, 1, len(self._ages) - 1)
            low, high = self._ages[above - 1], self._ages[above]
            share = np.clip((age - low) / (high - low), 0, 1)
            for ring in range(covered.shape[1]):
                part = sign * covered[:, ring]
                np.add.at(self._spans[:, ring], (group, above - 1), part * (1 - share))
                np.add.at(self._spans[:, ring], (group, above), part * share)

    def expected(self, parameters: EtasParameters) -> float:
        """Expected number of triggered targets."""
        p = parameters
        spread = p.d_km2 * np.exp(p.gamma * self.above)  # (groups,)
        rings = ring_shares(spread, self._radii, p.rho)  # (groups, rings)
        # Without BLAS, whose threads wait for each other longer than the product takes.
        time = np.einsum("gra,a->gr", self._spans, remaining_decay(p, self._ages))
        area = math.pi / (p.rho * p.d_km2**p.rho)
        return float(p.k0 * area * (np.exp(p.alpha * self.above) @ (rings * time).sum(axis=1)))


def ring_shares(
    spread: NDArray[np.float64], radii_km: NDArray[np.float64], rho: float
) -> NDArray[np.float64]:
    """(events, rings) share of the kernel 1 - (D / (D + r^2))^rho in each ring."""
    outside = (spread[:, None] / (spread[:, None] + radii_km**2)) ** rho
    ends = np.ones((len(spread), 1)), np.zeros((len(spread), 1))
    return -np.diff(np.concatenate((ends[0], outside, ends[1]), axis=1), axis=1)


class Histograms:
    """Expected numbers of pairs by time, and by magnitude and distance; of offspring by event."""

    def __init__(self, exposure: Exposure) -> None:
        self.exposure = exposure
        self.offspring = np.zeros(len(exposure.group))
        self.by_time = np.zeros(TIME_BINS[2])
        self.by_space = np.zeros((len(exposure.above), SPACE_BINS[2]))

    def add(self, other: Histograms) -> None:
        """Take in what another part of the targets gave."""
        self.offspring += other.offspring
        self.by_time += other.by_time
        self.by_space += other.by_space


def maximised(histograms: Histograms, start: EtasParameters) -> EtasParameters:
    """The parameters under which the pairs of the histograms are likeliest."""
    from scipy.optimize import minimize

    exposure = histograms.exposure
    above = exposure.above
    born = np.bincount(exposure.group, histograms.offspring, len(above))  # (groups,) offspring
    total = float(born.sum())
    growth = float(born @ above)
    seen = np.flatnonzero(histograms.by_time)
    lags = np.exp(TIME_BINS[0] + TIME_BINS[1] * seen)
    by_time = histograms.by_time[seen]
    seen = np.flatnonzero(histograms.by_space.any(axis=0))
    gaps = np.exp(SPACE_BINS[0] + SPACE_BINS[1] * seen)
    by_space = histograms.by_space[:, seen]

    def at(theta: NDArray[np.float64]) -> EtasParameters:
        a, log_c, omega, log_tau, log_d, gamma, log_rho = theta.tolist()
        return dataclasses.replace(
            start, k0=1.0, a=a, c_days=math.exp(log_c), omega=omega, tau_days=math.exp(log_tau),
            d_km2=math.exp(log_d), gamma=gamma, rho=math.exp(log_rho),
        )  # fmt: skip

    def loss(theta: NDArray[np.float64]) -> float:
        p = at(theta)
        spread = p.d_km2 * np.exp(p.gamma * above)
        pairs = p.a * growth
        pairs -= by_time @ (lags / p.tau_days + (1 + p.omega) * np.log(lags + p.c_days))
        pairs -= (1 + p.rho) * float((by_space * np.log(gaps + spread[:, None])).sum())
        # k0 follows from the others: expected and found offspring are as many.
        return float(total * math.log(exposure.expected(p)) - pairs) / total

    theta = np.array(
        [
            start.a, math.log(start.c_days), start.omega, math.log(start.tau_days),
            math.log(start.d_km2), start.gamma, math.log(start.rho),
        ]
    )  # fmt: skip
    theta = np.clip(theta, [low for low, _ in _BOUNDS], [high for _, high in _BOUNDS])
    found = minimize(
        loss, theta, method="L-BFGS-B", bounds=_BOUNDS, options={"maxiter": 30, "ftol": 1e-10}
    )
    best = at(found.x)
    return dataclasses.replace(best, k0=total / exposure.expected(best))
