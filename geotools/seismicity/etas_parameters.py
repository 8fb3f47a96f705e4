"""EtasParameters: the triggering part of the space-time ETAS model, and what follows from it alone.

The rate at time t and place x, y that an event of magnitude m sends out is
k0 e^{a (m - mref)} e^{-t / tau} (t + c)^{-(1 + omega)} (r^2 + d e^{gamma (m - mref)})^{-(1 + rho)}
(Mizrahi, Nandan and Wiemer 2021, doi:10.1785/0220200231, eq. 2 to 4; t in days, r in km).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["GENERIC_ETAS", "EtasParameters", "decay_share", "remaining_decay"]

_POSITIVE = ("k0", "c_days", "tau_days", "d_km2", "rho", "b_value")


@dataclass(frozen=True, slots=True)
class EtasParameters:
    """Parameters of aftershock triggering; background rates are kept elsewhere."""

    k0: float
    """Productivity factor, in the units that the other parameters imply; more than 0."""
    a: float
    """Growth of the rate with magnitude, per unit."""
    c_days: float
    """Delay of the decay, days; more than 0."""
    omega: float
    """Decay exponent less 1; may be negative, as `tau_days` bounds the tail."""
    tau_days: float
    """Days after which triggering tapers off exponentially; more than 0."""
    d_km2: float
    """Square of the kernel's width at `mref`, km2; more than 0."""
    gamma: float
    """Growth of that square with magnitude, per unit."""
    rho: float
    """Decay exponent of distance; more than 0."""
    mref: float
    """Magnitudes count from here: the lower edge of the bin of completeness."""
    b_value: float
    """Gutenberg-Richter b of all events, triggered ones too; more than 0."""
    magnitude_max: float
    """Magnitudes end here, in expectations and in simulation; above `mref`."""

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if not math.isfinite(value):
                raise ModelError(f"ETAS parameter {name} is {value}: give a number.")
            if name in _POSITIVE and value <= 0:
                raise ModelError(f"ETAS parameter {name} is {value}: give more than 0.")
        if self.magnitude_max <= self.mref:
            raise ModelError(
                f"ETAS magnitudes go from {self.mref} to {self.magnitude_max}: turn round."
            )
        if not -1 < self.omega < 5 or self.rho > 5 or max(abs(self.a), abs(self.gamma)) > 10:
            raise ModelError(
                f"ETAS parameters omega {self.omega}, rho {self.rho}, a {self.a}, gamma "
                f"{self.gamma} are beyond any catalog: omega -1 to 5, rho to 5, a and gamma to 10."
            )

    def to_dict(self) -> dict[str, float]:
        """Parameters by name, for JSON."""
        return {field.name: float(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> EtasParameters:
        """The parameters that `to_dict` gave; further names are left alone.

        Raises:
            ModelError: one is missing, no number, or cannot be.
        """
        values = {}
        for field in dataclasses.fields(cls):
            value = body.get(field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ModelError(f"ETAS parameter {field.name} is {value!r}: give a number.")
            values[field.name] = float(value)
        return cls(**values)

    @property
    def beta(self) -> float:
        """Decay of magnitudes per unit, b ln 10."""
        return self.b_value * math.log(10)

    @property
    def alpha(self) -> float:
        """Growth of productivity with magnitude, per unit: a - rho gamma."""
        return self.a - self.rho * self.gamma

    def at(self, mref: float) -> EtasParameters:
        """The parameters for a catalog that is complete from another magnitude on.

        An event keeps the width of its kernel, and an event of magnitude `mref` keeps the number
        of its direct offspring, hence the branching ratio: d and k0 take the factors
        e^{gamma shift} and e^{rho gamma shift}. (Cutting the magnitudes of a fitted model instead
        would make it supercritical a little below its reference: small events trigger too, and
        aftershocks of aftershocks are counted as direct ones where they are not seen.)
        """
        widening = self.gamma * (mref - self.mref)
        return dataclasses.replace(
            self,
            k0=self.k0 * math.exp(self.rho * widening),
            d_km2=self.d_km2 * math.exp(widening),
            mref=mref,
            magnitude_max=max(self.magnitude_max, mref + 1),
        )

    def spread_km2(self, magnitude: ArrayLike) -> NDArray[np.float64]:
        """Squared width d e^{gamma (m - mref)} in km2 of each magnitude, float64, of its shape."""
        above = np.asarray(magnitude, dtype=np.float64) - self.mref
        spread: NDArray[np.float64] = self.d_km2 * np.exp(self.gamma * above)
        return spread

    def productivity(self, magnitude: ArrayLike) -> NDArray[np.float64]:
        """Expected direct offspring over all time and the plane, float64, shape of `magnitude`."""
        above = np.asarray(magnitude, dtype=np.float64) - self.mref
        offspring: NDArray[np.float64] = self._offspring * np.exp(self.alpha * above)
        return offspring

    def branching_ratio(self) -> float:
        """Mean direct offspring of an event, magnitudes truncated at `magnitude_max`."""
        top = self.magnitude_max - self.mref
        rise = self.beta - self.alpha
        moment = top if abs(rise * top) < 1e-9 else -math.expm1(-rise * top) / rise
        ratio = self._offspring * self.beta * moment / -math.expm1(-self.beta * top)
        return float(ratio)

    @property
    def _offspring(self) -> float:
        """Direct offspring of an event of magnitude `mref`."""
        area: float = math.pi / (self.rho * self.d_km2**self.rho)
        return self.k0 * area * float(remaining_decay(self, np.zeros(1))[0])


GENERIC_ETAS = EtasParameters(
    k0=10**-2.49,
    a=1.69,
    c_days=10**-2.95,
    omega=-0.03,
    tau_days=10**3.99,
    d_km2=10**-0.35,
    gamma=1.22,
    rho=0.51,
    mref=3.55,
    b_value=1.0,
    magnitude_max=8.0,
)
"""California, magnitudes in bins of 0.1 from 3.6 (so from 3.55): the rounded fit that the authors
of Mizrahi, Nandan and Wiemer (2021) publish with their program to simulate from. For a region
without a fit of its own, with any `mref` through `at`."""


def decay_share(
    parameters: EtasParameters, age_from_days: ArrayLike, age_to_days: ArrayLike
) -> NDArray[np.float64]:
    """Share of an event's direct offspring that falls between two ages, float64.

    The integral of e^{-t / tau} (t + c)^{-(1 + omega)} as a difference of upper incomplete gamma
    functions of -omega at (t + c) / tau.

    Args:
        age_from_days: days since the event, at least 0; any shape.
        age_to_days: days since the event, of a shape that broadcasts; infinity is allowed.
    """
    first = np.maximum(np.asarray(age_from_days, dtype=np.float64), 0)
    last = np.maximum(np.asarray(age_to_days, dtype=np.float64), first)
    whole = remaining_decay(parameters, np.zeros(1))[0]
    share: NDArray[np.float64] = (
        remaining_decay(parameters, first) - remaining_decay(parameters, last)
    ) / (whole)
    return np.clip(share, 0, 1)


def remaining_decay(parameters: EtasParameters, age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral of e^{-t / tau} (t + c)^{-(1 + omega)} from each age on."""
    tau, omega = parameters.tau_days, parameters.omega
    x = (age + parameters.c_days) / tau
    factor = math.exp(parameters.c_days / tau) * tau**-omega
    integral: NDArray[np.float64] = factor * _upper_gamma(-omega, x)
    return integral


def _upper_gamma(s: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper incomplete gamma function of s and x > 0, s of any sign.

    For s <= 0 by Gamma(s + 1, x) = s Gamma(s, x) + x^s e^-x (DLMF 8.8.2), which loses digits near
    s = 0; there Gamma(0, x) = E1(x) is exact, and within 1e-8 of it good to 1e-6.
    """
    from scipy.special import exp1, gamma, gammaincc

    if abs(s) < 1e-8:
        return np.asarray(exp1(x))
    if s > 0:
        return np.asarray(gamma(s) * gammaincc(s, x))
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.where(np.isinf(x), 0.0, x**s * np.exp(-x))
    return np.asarray((_upper_gamma(s + 1, x) - power) / s)
