"""The aftershock rate of Reasenberg and Jones: how many, how likely, after one main shock.

Rate of aftershocks of magnitude M and more at t days: 10^(a + b (Mm - M)) (t + c)^-p
(Reasenberg and Jones 1989, Science 243, 1173-1176). It knows no place and no second main shock.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CALIFORNIA", "REGIMES", "ReasenbergJones"]

_STEP = 0.01
"""Values of a are summed over in these steps."""
_SIGMAS = 6.0
"""And so far from their mean, in standard deviations."""


@dataclass(frozen=True, slots=True)
class ReasenbergJones:
    """Parameters of aftershock sequences of a region, or of one sequence."""

    a: float
    """Productivity: log10 of the rate at t + c = 1 day of aftershocks as large as the main shock;
    the mean over sequences."""
    b: float
    """Gutenberg-Richter b; more than 0."""
    p: float
    """Decay exponent; more than 0."""
    c_days: float
    """Delay of the decay, days; more than 0."""
    a_sigma: float = 0.0
    """Standard deviation of a among sequences, normally distributed; 0 for a known sequence."""
    a_sigma_small: float = 0.0
    """Spread of a that is added for small main shocks: its square over 10^M adds to that of
    `a_sigma` (M at least 6)."""

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in dataclasses.astuple(self)):
            raise EventsError(f"Reasenberg-Jones parameters must be numbers, not {self}.")
        if not (self.b > 0 and self.p > 0 and self.c_days > 0):
            raise EventsError(f"Reasenberg-Jones b, p and c must be above 0: {self}.")
        if self.a_sigma < 0 or self.a_sigma_small < 0:
            raise EventsError(f"Reasenberg-Jones deviations of a must be 0 or more: {self}.")

    def expected(
        self, mainshock: float, magnitude: float, from_days: float, to_days: float
    ) -> float:
        """Expected number of aftershocks between two times after the main shock, at the mean a.

        Args:
            mainshock: its magnitude.
            magnitude: aftershocks count from here; above `mainshock` too.
            from_days, to_days: days since the main shock.

        Raises:
            EventsError: times that do not rise from 0, or magnitudes that are no numbers.
        """
        _check(mainshock, magnitude, from_days, to_days)
        return 10 ** (self.a + self.b * (mainshock - magnitude)) * self._decay(from_days, to_days)

    def probability(
        self, mainshock: float, magnitude: float, from_days: float, to_days: float
    ) -> float:
        """Probability of at least one such aftershock, averaged over the spread of a.

        Args and Raises as for `expected`.
        """
        number = self.expected(mainshock, magnitude, from_days, to_days)
        offsets, weights = self._spread(mainshock)
        return float(weights @ -np.expm1(-number * 10**offsets))

    def updated(
        self,
        mainshock: float,
        observed: int,
        magnitude: float,
        from_days: float,
        to_days: float,
    ) -> ReasenbergJones:
        """The parameters after aftershocks were counted: mean and deviation of a given the count.

        Bayes' rule with the normal distribution of a before and a Poisson count (Page et al.
        2016, BSSA 106, 2290-2301); with `a_sigma` 0 nothing is learned.

        Args:
            mainshock: its magnitude.
            observed: aftershocks of `magnitude` or more, at least 0. Count from a magnitude and a
                time from which the catalog is complete, or a comes out too small.
            magnitude: lower edge of the bin of the smallest counted.
            from_days, to_days: days since the main shock.

        Raises:
            EventsError: as for `expected`; a count below 0.
        """
        if observed < 0:
            raise EventsError(f"{observed} aftershocks were observed: 0 or more are possible.")
        number = self.expected(mainshock, magnitude, from_days, to_days)
        offsets, weights = self._spread(mainshock)
        if len(offsets) == 1:
            return self
        log_chance = np.log(weights) + observed * math.log(10) * offsets - number * 10**offsets
        chance = np.exp(log_chance - log_chance.max())
        chance /= chance.sum()
        mean = float(chance @ offsets)
        deviation = math.sqrt(max(float(chance @ (offsets - mean) ** 2), _STEP**2 / 12))
        return dataclasses.replace(self, a=self.a + mean, a_sigma=deviation, a_sigma_small=0.0)

    def _decay(self, from_days: float, to_days: float) -> float:
        """Integral of (t + c)^-p."""
        first, last = from_days + self.c_days, to_days + self.c_days
        span = math.log(last / first)
        # (last^(1 - p) - first^(1 - p)) / (1 - p), without loss of digits where p is 1.
        power = (1 - self.p) * span
        whole = span if abs(power) < 1e-12 else span * math.expm1(power) / power
        return float(first ** (1 - self.p) * whole)

    def _spread(self, mainshock: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offsets of a from its mean, and their probabilities."""
        sigma = math.hypot(self.a_sigma, self.a_sigma_small / 10 ** (max(mainshock, 6.0) / 2))
        if sigma < _STEP / 10:
            return np.zeros(1), np.ones(1)
        step = min(_STEP, sigma / 10)
        steps = math.ceil(_SIGMAS * sigma / step)
        offsets = np.linspace(-steps * step, steps * step, 2 * steps + 1)
        weights = np.exp(-0.5 * (offsets / sigma) ** 2)
        return offsets, weights / weights.sum()


CALIFORNIA = ReasenbergJones(a=-1.67, b=0.91, p=1.08, c_days=0.05)
"""Generic California (Reasenberg and Jones 1989, with the values of their update of 1994, Science
265, 1251-1252), of the sequences that were chosen then; later averages are lower."""


def _page(a: float, p: float, a_sigma_small: float) -> ReasenbergJones:
    return ReasenbergJones(a=a, b=1.0, p=p, c_days=0.018, a_sigma=0.49, a_sigma_small=a_sigma_small)


REGIMES = MappingProxyType(
    {
        "ANSR-ABSLDEC": _page(-2.29, 1.01, 560),
        "ANSR-ABSLOCB": _page(-2.82, 0.64, 890),
        "ANSR-ABSLSHC": _page(-2.85, 1.06, 800),
        "ANSR-DEEPCON": _page(-2.13, 0.98, 250),
        "ANSR-HOTSPOT": _page(-3.00, 1.12, 680),
        "ANSR-OCEANBD": _page(-3.19, 1.08, 500),
        "ANSR-SHALCON": _page(-2.42, 0.98, 570),
        "SCR-GENERIC": _page(-2.85, 0.73, 870),
        "SOR-GENERIC": _page(-3.04, 0.97, 650),
        "SZ-GENERIC": _page(-2.47, 0.88, 570),
        "SZ-INLBACK": _page(-2.43, 0.86, 640),
        "SZ-ONSHORE": _page(-2.34, 0.81, 500),
        "SZ-OUTERTR": _page(-2.42, 0.92, 540),
    }
)
"""By tectonic regime of Garcia et al. (2012): Page, van der Elst, Hardebeck, Felzer and Michael
(2016, BSSA 106, 2290-2301), with the numbers that the USGS's aftershock forecasts use. ANSR:
active crust (shallow SHALCON, deep DEEPCON, above slabs ABSL*, oceanic boundaries OCEANBD, hot
spots), SCR and SOR: stable continents and oceans, SZ: subduction zones."""


def _check(mainshock: float, magnitude: float, from_days: float, to_days: float) -> None:
    if not (math.isfinite(mainshock) and math.isfinite(magnitude)):
        raise EventsError(f"Magnitudes {mainshock} and {magnitude} must be numbers.")
    if not 0 <= from_days < to_days < math.inf:
        raise EventsError(
            f"Aftershocks from day {from_days} to day {to_days}: times must rise from 0 on."
        )
