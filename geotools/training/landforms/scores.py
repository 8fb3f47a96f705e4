"""The held-out table: model, exact geomorphons and a random forest on clean and damaged DEMs.

What is compared is always the form of the clean DEM; what is given is the damaged one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geotools.evaluation.classification import block_confusions
from geotools.terrain.geomorphons import FORMS
from geotools.training.landforms.dataset import Dem, label_forms
from geotools.training.landforms.degrade import Degradation, degrade

__all__ = ["HELD_OUT_CASES", "Case", "Classifier", "Score", "score"]

Classifier = Callable[
    [NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]], NDArray[np.uint8]
]
"""From elevation (rows, cols) and cell sizes (rows,) to codes (rows, cols), 0 where invalid."""

BLOCK = 100
"""Cells on a side of the blocks that are resampled for intervals."""


@dataclass(frozen=True)
class Case:
    """One kind of damage under which all methods are compared."""

    name: str
    """Short, for tables."""
    how: Degradation
    """The damage."""
    main: bool = True
    """False: shown beside the main cases, without the slow methods."""


def _noise(sd_m: float, correlation_cells: float = 1.5) -> Degradation:
    """Noise with faint stripes, whole metres and a few voids, as in the table's rows."""
    return Degradation(
        noise_sd_m=sd_m,
        correlation_cells=correlation_cells,
        stripe_sd_m=0.1 * sd_m,
        stripe_angle_deg=30.0,
        quantum_m=1.0,
        void_share=0.002,
    )


HELD_OUT_CASES = (
    Case("clean", Degradation()),
    Case("1 m", _noise(1.0)),
    Case("3 m", _noise(3.0)),
    Case("5 m", _noise(5.0)),
    Case("3 m, L 0.75", _noise(3.0, 0.75), main=False),
    Case("3 m, L 3", _noise(3.0, 3.0), main=False),
    Case("blur 0.7", Degradation(blur_cells=0.7), main=False),
)
"""Clean, the three noise levels (correlation length L = 1.5 cells), the middle one at other
correlation lengths, and a blur without noise."""


@dataclass(frozen=True, eq=False)
class Score:
    """One method on one region under one case."""

    region: str
    """Name of the DEM."""
    case: str
    """Name of the `Case`."""
    method: str
    """Name of the method."""
    blocks: NDArray[np.int64]
    """(blocks, 10, 10), confusion matrices, true forms in rows."""


def score(
    dems: Iterable[Dem],
    methods: dict[str, Classifier],
    *,
    cases: Sequence[Case] = HELD_OUT_CASES,
    slow: Collection[str] = (),
    seed: int = 20,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Score]:
    """Confusion matrices of every method, region and case.

    Args:
        dems: held-out regions, clean.
        methods: what to compare, by name.
        cases: damages.
        slow: methods that only run in the main cases.
        seed: of the damage; region and case get generators of their own.
        progress: told each region and case.
    """
    scores = []
    for number, dem in enumerate(dems):
        truth = label_forms(dem.elevation, dem.x_m, dem.y_m)
        for index, case in enumerate(cases):
            progress(f"{dem.name}, {case.name}")
            rng = np.random.default_rng([seed, number, index])
            damaged = degrade(dem.elevation, case.how, rng)
            for name, classify in methods.items():
                if name in slow and not case.main:
                    continue
                codes = classify(damaged, dem.x_m, dem.y_m)
                # A void on input is a void on output; it is not counted for any method.
                codes = np.where(np.isfinite(damaged), codes, 0)
                blocks = block_confusions(truth, codes, len(FORMS), BLOCK)
                scores.append(Score(dem.name, case.name, name, blocks))
    return scores
