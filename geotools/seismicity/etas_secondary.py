"""Aftershocks of aftershocks inside a window, by their expectation.

Magnitudes of offspring are drawn independently, so every event has n (branching ratio) direct
offspring on average, and expected numbers follow a linear renewal equation in time alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity.etas_parameters import EtasParameters, decay_share, remaining_decay

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["WindowDecay", "family_size", "secondary_factor", "widening"]

_PER_E = 24
"""Nodes of the renewal equation per factor e of time: 1e-4 of its solution."""
_TABLE_PER_E = 16
"""Nodes of the table of decay per factor e of age: splines between them are good to 2e-5."""
_OLDEST_DAYS = 1e6
"""Ages of the table end here, 2,700 years."""


def family_size(
    parameters: EtasParameters, horizon_days: float, *, ratio: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes of time up to the horizon, days, and the expected family of an event after so long.

    A family is the event itself and all its descendants: R(x) = 1 + n int_0^x R(x - y) dG(y), with
    G the share of direct offspring until y and n the branching ratio. Solved on nodes that are
    dense near 0, where both R and G bend on the scale of c. First node 0.

    Args:
        parameters: of the triggering.
        horizon_days: last node.
        ratio: n, by default the branching ratio of the parameters.

    Raises:
        EventsError: a horizon that is not positive and finite.
    """
    if not (math.isfinite(horizon_days) and horizon_days > 0):
        raise EventsError(f"The window is {horizon_days} days long: give more than 0.")
    c = min(parameters.c_days, horizon_days)
    # Evenly in log(1 + x / c): linear below c, geometric above.
    span = math.log1p(horizon_days / c)
    nodes = c * np.expm1(np.linspace(0, span, max(32, math.ceil(_PER_E * span)) + 1))
    nodes[-1] = horizon_days
    n = parameters.branching_ratio() if ratio is None else ratio
    family = np.ones(len(nodes))
    for k in range(1, len(nodes)):
        # In the first half y itself takes the nodes, in the second x - y: dense at both ends.
        x = nodes[k]
        low = nodes[: np.searchsorted(nodes, x / 2)]
        edges = np.concatenate((low, x - low[::-1]))  # of y
        steps = decay_share(parameters, edges[:-1], edges[1:])
        later = x - edges  # of x - y, falling
        known = np.minimum(later, nodes[k - 1])
        values = np.interp(known, nodes[:k], family[:k])
        # Beyond the last node R is linear to the unknown R(x).
        beyond = (later - known) / (x - nodes[k - 1])
        before = values * (1 - beyond)
        fixed = 0.5 * (before[:-1] + before[1:]) @ steps
        unknown = 0.5 * (beyond[:-1] + beyond[1:]) @ steps
        family[k] = (1 + n * fixed) / (1 - n * unknown)
    return nodes, family


def secondary_factor(parameters: EtasParameters, horizon_days: float) -> float:
    """Expected events of a window per background event in it, 1 or more.

    The mean of the family size over the time that is left to a background event.

    Raises:
        EventsError: a horizon that is not positive and finite.
    """
    nodes, family = family_size(parameters, horizon_days)
    return float(np.trapezoid(family, nodes) / horizon_days)


def widening(parameters: EtasParameters, horizon_days: float) -> float:
    """What the secondaries of a window add to the rho-th power of a kernel's squared width.

    Far from its centre the kernel leaves (D / r^2)^rho outside r, and tails of summed steps add:
    D^rho + E[D^rho] for each further generation, with E over events that have offspring, by their
    productivity. For rho = 1/2, near which fits lie, the kernel is the Poisson kernel of the
    half-space, and sums of steps of given magnitudes have exactly that form. The generations are
    their mean number among the secondaries of a window.

    Args:
        parameters: of the triggering.
        horizon_days: length of the window.

    Raises:
        EventsError: a horizon that is not positive and finite.
    """
    p = parameters
    n, more = p.branching_ratio(), 1.01
    nodes, family = family_size(p, horizon_days)
    _, larger = family_size(p, horizon_days, ratio=more * n)
    size = float(np.trapezoid(family - 1, nodes))
    # The k-th generation is in proportion to n^k: d log / d log n is the mean k.
    rise = float(np.trapezoid(larger - family, nodes))
    generations = max(rise / (size * math.log(more)), 1.0) if size > 0 else 1.0
    top = p.magnitude_max - p.mref
    step = p.d_km2**p.rho * _moment(p.beta - p.a, top) / _moment(p.beta - p.alpha, top)
    return float(generations * step)


def _moment(rate: float, top: float) -> float:
    """Integral of e^(-rate m) from 0 to top."""
    return float(top if abs(rate * top) < 1e-9 else -math.expm1(-rate * top) / rate)


class WindowDecay:
    """Offspring in [issue, issue + horizon) per unit of productivity, by the age of an event."""

    def __init__(
        self, parameters: EtasParameters, horizon_days: float, *, secondaries: bool = True
    ) -> None:
        self._c = parameters.c_days
        first = math.log(self._c)
        last = math.log(_OLDEST_DAYS + self._c)
        count = math.ceil((last - first) * _TABLE_PER_E) + 1
        logs = np.linspace(first, last, count)
        ages = np.exp(logs) - self._c
        if secondaries:
            nodes, family = family_size(parameters, horizon_days)
            # A direct offspring at v has a family of R(horizon - v); z = horizon - v.
            mean = 0.5 * (family[:-1] + family[1:])  # (nodes - 1,)
            edges = ages[:, None] + horizon_days - nodes  # (ages, nodes), falling
            born = np.diff(remaining_decay(parameters, edges), axis=1)
            table = born @ mean / remaining_decay(parameters, np.zeros(1))  # (ages,)
        else:
            table = decay_share(parameters, ages, ages + horizon_days)
        self._first, self._step = first, float(logs[1] - logs[0])
        self._table = np.log(np.maximum(table, 1e-300))

    def __call__(self, age_days: ArrayLike) -> NDArray[np.float64]:
        """(events,) float64: expected offspring in the window over the productivity.

        Args:
            age_days: (events,) days from the event to the start of the window, at least 0.
        """
        from geotools.seismicity._field_loops import from_table

        age = np.ascontiguousarray(age_days, dtype=np.float64)
        decay: NDArray[np.float64] = from_table(age, self._c, self._first, self._step, self._table)
        return decay
