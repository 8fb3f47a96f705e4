"""The maximisation step of the ETAS fit: parameters from histograms of who triggered whom.

Time and space enter the likelihood of the pairs separately, so that two histograms hold all that
the step needs, however many pairs there are.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.seismicity.etas_parameters import EtasParameters, remaining_decay

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIME = (math.log(1e-6), 0.02, 1300)
"""Log of days: first bin, step, bins; a tenth of a second to 500 years."""
_SPACE = (math.log(1e-4), 0.05, 560)
"""Log of km2: 10 m to the far side of the Earth."""
_BOUNDS = (
    (0.01, 5.0),  # a
    (math.log(1e-8), math.log(10.0)),  # c, days
    (-0.9, 2.0),  # omega
    (math.log(3.0), math.log(1e6)),  # tau, days
    (math.log(1e-4), math.log(1e5)),  # d, km2
    (0.0, 5.0),  # gamma
    (math.log(0.01), math.log(5.0)),  # rho
)
_GROUPS = 200
"""With more different magnitudes than this they are put into groups of 0.05."""


class Histograms:
    """Expected numbers of pairs by time, and by magnitude and distance; of offspring by event."""

    def __init__(
        self,
        time: NDArray[np.float64],
        magnitude: NDArray[np.float64],
        mc: float,
        window: tuple[float, float],
    ) -> None:
        rounded = np.round(magnitude, 6)
        values, group = np.unique(rounded, return_inverse=True)
        if len(values) > _GROUPS:
            values, group = np.unique(np.floor((magnitude - mc) / 0.05), return_inverse=True)
        self.group = group.astype(np.int64)
        members = np.bincount(group)
        self.above = np.bincount(group, magnitude) / members - mc  # (groups,) mean excess
        self.offspring = np.zeros(len(time))
        self.by_time = np.zeros(_TIME[2])
        self.by_space = np.zeros((len(members), _SPACE[2]))
        self.scales = (*_TIME[:2], *_SPACE[:2])
        self.lags = np.exp(_TIME[0] + _TIME[1] * np.arange(_TIME[2]))
        self.gaps = np.exp(_SPACE[0] + _SPACE[1] * np.arange(_SPACE[2]))
        # The time that each group had for triggering targets, as weights of remaining decay.
        self._ages = np.concatenate((np.zeros(1), self.lags[::4]))
        self._spans = np.zeros((len(members), len(self._ages)))
        start, end = window
        for sign, age in ((1.0, np.maximum(start - time, 0)), (-1.0, end - time)):
            above = np.searchsorted(self._ages, age, side="right")
            above = np.clip(above, 1, len(self._ages) - 1)
            low, high = self._ages[above - 1], self._ages[above]
            share = np.clip((age - low) / (high - low), 0, 1)
            np.add.at(self._spans, (group, above - 1), sign * (1 - share))
            np.add.at(self._spans, (group, above), sign * share)

    def add(self, other: Histograms) -> None:
        """Take in what another part of the targets gave."""
        self.offspring += other.offspring
        self.by_time += other.by_time
        self.by_space += other.by_space

    def expected(self, parameters: EtasParameters) -> float:
        """Expected number of triggered targets."""
        p = parameters
        time = self._spans @ remaining_decay(p, self._ages)  # (groups,)
        area = math.pi / (p.rho * p.d_km2**p.rho)
        return float(p.k0 * area * (np.exp(p.alpha * self.above) @ time))


def maximised(histograms: Histograms, start: EtasParameters) -> EtasParameters:
    """The parameters under which the pairs of the histograms are likeliest."""
    from scipy.optimize import minimize

    h = histograms
    born = np.bincount(h.group, h.offspring, len(h.above))  # (groups,) offspring
    total = float(born.sum())
    growth = float(born @ h.above)
    seen = np.flatnonzero(h.by_time)
    lags, by_time = h.lags[seen], h.by_time[seen]
    filled = np.flatnonzero(h.by_space.any(axis=0))
    gaps, by_space = h.gaps[filled], h.by_space[:, filled]

    def at(theta: NDArray[np.float64]) -> EtasParameters:
        a, log_c, omega, log_tau, log_d, gamma, log_rho = theta.tolist()
        return dataclasses.replace(
            start, k0=1.0, a=a, c_days=math.exp(log_c), omega=omega, tau_days=math.exp(log_tau),
            d_km2=math.exp(log_d), gamma=gamma, rho=math.exp(log_rho),
        )  # fmt: skip

    def loss(theta: NDArray[np.float64]) -> float:
        p = at(theta)
        spread = p.d_km2 * np.exp(p.gamma * h.above)
        pairs = p.a * growth
        pairs -= by_time @ (lags / p.tau_days + (1 + p.omega) * np.log(lags + p.c_days))
        pairs -= (1 + p.rho) * float((by_space * np.log(gaps + spread[:, None])).sum())
        # k0 follows from the others: expected and found offspring are as many.
        return float(total * math.log(h.expected(p)) - pairs) / total

    theta = np.array(
        [
            start.a, math.log(start.c_days), start.omega, math.log(start.tau_days),
            math.log(start.d_km2), start.gamma, math.log(start.rho),
        ]
    )  # fmt: skip
    theta = np.clip(theta, [low for low, _ in _BOUNDS], [high for _, high in _BOUNDS])
    found = minimize(
        loss, theta, method="L-BFGS-B", bounds=_BOUNDS, options={"maxiter": 60, "ftol": 1e-11}
    )
    best = at(found.x)
    return dataclasses.replace(best, k0=total / h.expected(best))
