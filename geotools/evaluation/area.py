"""Area per class with its standard error, from a map and a sample of reference labels.

The stratified estimators of Olofsson et al. (2014), Good practices for estimating area and
assessing accuracy of land change, Remote Sensing of Environment 148, 42-57. They hold for a
probability sample: reference cells drawn at random within each map class. Labels that somebody
chose to draw (training polygons, easy places) are none; their areas and standard errors then say
what would follow if they were, and must be shown with that caveat. Cells of one block or polygon
are alike, which the standard errors do not know: `area_intervals` draws whole units instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import RasterError
from geotools.evaluation.resampling import percentiles, resampled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["AreaEstimate", "adjusted_areas", "area_intervals", "estimate_area"]

Z = 1.96
"""Normal deviate of 95 %, as the paper has it."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaEstimate:
    """Areas and accuracies of a map; arrays of one number per class, standard errors beside.

    NaN where the sample does not tell: no sample in a class that is mapped, or one alone for a
    standard error.
    """

    mapped: NDArray[np.float64]
    """Area counted on the map, in the unit that was given."""
    area: NDArray[np.float64]
    """Area that the reference labels say, in the same unit (eqs. 9 and 11)."""
    area_se: NDArray[np.float64]
    """Its standard error (eqs. 10 and 12)."""
    users: NDArray[np.float64]
    """User's accuracy, the share of a mapped class that is right (eq. 2)."""
    users_se: NDArray[np.float64]
    """Its standard error (eq. 6)."""
    producers: NDArray[np.float64]
    """Producer's accuracy, the share of a true class that is mapped as such (eq. 3)."""
    producers_se: NDArray[np.float64]
    """Its standard error (eq. 7)."""
    overall: float
    """Share of the area that is mapped right (eq. 1)."""
    overall_se: float
    """Its standard error (eq. 5)."""

    @property
    def interval(self) -> NDArray[np.float64]:
        """(classes, 2) area ± 1.96 standard errors."""
        return np.stack([self.area - Z * self.area_se, self.area + Z * self.area_se], axis=1)


def estimate_area(counts: ArrayLike, mapped: ArrayLike) -> AreaEstimate:
    """Adjusted areas and accuracies of a map whose classes were the strata of a sample.

    Args:
        counts: (K, K) sampled cells. As in the paper and unlike `confusion_matrix`, rows are the
            classes of the map and columns those of the reference: give `matrix.T`.
        mapped: (K,) area of each class on the map, in any unit.

    Raises:
        RasterError: shapes that do not fit, or numbers below 0.
    """
    n, areas = _checked(counts, mapped)
    if n.ndim != 2:
        raise RasterError(f"Counts of shape {n.shape}: give one square matrix.")
    total = areas.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = areas / total  # W_i
        samples = n.sum(axis=1)  # n_i.
        unmapped = (areas == 0)[:, None]
        row = np.where(unmapped, 0.0, n / samples[:, None])  # n_ij / n_i.
        p = weight[:, None] * row  # eq. 4
        freedom = np.where(areas == 0, 1.0, np.where(samples > 1, samples - 1, np.nan))
        share = p.sum(axis=0)  # eq. 9
        users = np.where(samples > 0, np.diagonal(n) / samples, np.nan)
        producers = np.where(share > 0, np.diagonal(p) / share, np.nan)
        right = np.diagonal(row)
        spread = row * (1 - row) / freedom[:, None]  # variance of n_ij / n_i.
        overall_variance = (weight**2 * np.diagonal(spread)).sum()  # eq. 5
        users_variance = users * (1 - users) / np.where(samples > 1, samples - 1, np.nan)  # eq. 6
        share_variance = (weight[:, None] ** 2 * spread).sum(axis=0)  # eq. 10, squared
        own = areas**2 * (1 - producers) ** 2 * np.diagonal(spread)
        strata = areas[:, None] ** 2 * spread
        others = producers**2 * (strata.sum(axis=0) - np.diagonal(strata))
        producers_variance = (own + others) / (total * share) ** 2  # eq. 7, with eq. 8
    return AreaEstimate(
        mapped=areas,
        area=total * share,
        area_se=total * np.sqrt(share_variance),
        users=users,
        users_se=np.sqrt(users_variance),
        producers=producers,
        producers_se=np.sqrt(np.where(share > 0, producers_variance, np.nan)),
        overall=float((weight * right).sum()),
        overall_se=float(np.sqrt(overall_variance)),
    )


def adjusted_areas(counts: ArrayLike, mapped: ArrayLike) -> NDArray[np.float64]:
    """(..., K) adjusted areas alone (eqs. 9 and 11) of each of the matrices (..., K, K).

    Rows are the classes of the map. A mapped class without samples is taken at its word, so that
    resamples that miss a rare class still have areas.
    """
    n, areas = _checked(counts, mapped)
    samples = n.sum(axis=-1, keepdims=True)
    row = np.where(samples > 0, n / np.maximum(samples, 1), np.eye(len(areas)))
    return np.asarray((areas[:, None] * row).sum(axis=-2))


def area_intervals(units: Any, mapped: ArrayLike, *, seed: int = 0) -> NDArray[np.float64]:
    """(K, 2) 95 % of the adjusted areas when whole units are drawn again; NaN with fewer than two.

    Args:
        units: (units, K, K) counts of each block, polygon or group; rows are the classes of the
            map: `unit_confusions(predicted, truth, unit, K)`. Or (units, K x K), dense or sparse,
            as from `pair_sums`.
        mapped: (K,) area of each class on the map.
        seed: fixes the resampling.

    Raises:
        RasterError: shapes that do not fit, or numbers below 0.
    """
    classes = len(np.atleast_1d(mapped))
    sums = units.reshape(units.shape[0], -1) if len(units.shape) == 3 else units
    if sums.shape[1] != classes**2:
        raise RasterError(f"Counts of shape {units.shape} for {classes} areas: give one per class.")
    _, areas = _checked(sums.sum(axis=0).reshape(classes, classes), mapped)
    if sums.shape[0] < 2:
        return np.full((classes, 2), np.nan)
    drawn = resampled(
        sums, lambda s: adjusted_areas(s.reshape(-1, classes, classes), areas), seed=seed
    )
    return percentiles(drawn)


def _checked(
    counts: ArrayLike, mapped: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n, areas = np.asarray(counts, np.float64), np.asarray(mapped, np.float64)
    if areas.ndim != 1 or n.shape[-2:] != (len(areas), len(areas)):
        raise RasterError(
            f"Counts of shape {n.shape} for areas of shape {areas.shape}: give a square matrix "
            "and one area per class."
        )
    if not (n >= 0).all() or not (np.isfinite(areas) & (areas >= 0)).all() or not areas.sum():
        raise RasterError("Counts and areas must be 0 or more, and some area above 0.")
    return n, areas
