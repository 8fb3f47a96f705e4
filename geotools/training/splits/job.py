"""SplitJob: labelled cells that are to be split, and what every kind of split asks of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.training.splits.folds import tabulate
from geotools.training.splits.rounds import Split
from geotools.training.splits.units import Ground, finer_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.labels.cells import Cells
    from geotools.training.sections import SplitConfig

__all__ = ["SplitJob"]

_LISTED = 20
"""Classes that a sentence lists at most."""
_FEW = 5
"""With fewer units in the tests, intervals are drawn by what these units are made of."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitJob:
    """Labelled cells in an order of their own, and how they are to be split."""

    cells: Cells
    """The cells."""
    strata: NDArray[np.int64]
    """(n,) class of each, or bin of its value."""
    config: SplitConfig
    """How."""
    ground: Ground
    """Where they are."""
    names: tuple[str, ...]
    """Names of the classes."""
    groups: tuple[str, ...]
    """Names of the groups; empty when no field gives them."""
    scenes: tuple[str, ...]
    """Names of the scenes."""
    seed: int
    """Fixes everything that is drawn."""
    warn: Callable[[str], None]
    """Takes sentences on what is odd."""

    def finer(self) -> NDArray[np.int64]:
        """(n,) blocks, or rows where there is no place."""
        return self._finer()[0]

    def _finer(self) -> tuple[NDArray[np.int64], str]:
        """These, and what they are called."""
        return finer_units(self.cells, self.strata, self.ground, seed=self.seed)

    def called(self, stratum: int) -> str:
        """What a class is called."""
        return repr(self.names[stratum]) if stratum < len(self.names) else str(stratum + 1)

    def check(self, unit: NDArray[np.int64], where: str, remedy: str) -> None:
        """Nothing, when every class is in two units or more.

        Args:
            unit: (n,) unit of each cell, -1 for cells that are not used.
            where: what a unit is called.
            remedy: what to do about it.

        Raises:
            LabelsError: a class that is in one unit only.
        """
        used = unit >= 0
        if not self.cells.is_classes:
            if len(np.unique(unit[used])) < 2:
                raise LabelsError(f"All labels are in one {where}: {remedy}.")
            return
        _, counts, _ = tabulate(unit[used], self.strata[used])
        self.check_alone(np.flatnonzero((counts > 0).sum(axis=0) == 1), where, remedy)

    def check_alone(self, strata: NDArray[np.intp], where: str, remedy: str) -> None:
        """Nothing, when there are no classes that only one unit has.

        Args:
            strata: such classes.
            where, remedy: see `check`.

        Raises:
            LabelsError: there are some.
        """
        if not len(strata):
            return
        names = [self.called(stratum) for stratum in strata.tolist()]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        one = len(names) == 1
        raise LabelsError(
            f"The class{'' if one else 'es'} {', '.join(names[:_LISTED])}{more} "
            f"{'is' if one else 'are each'} in one {where} only, so that "
            f"{'it' if one else 'they'} cannot be both learned and tested: {remedy}."
        )

    def with_parts(
        self, split: Split, part: NDArray[np.int64], parts: tuple[str, ...], word: str
    ) -> Split:
        """The split with its scenes, groups or periods named, and smaller units for intervals where
        few of them are tested.

        Args:
            split: the split.
            part: (n,) index into `parts`, -1 for none.
            parts: their names.
            word: what they are called, in the plural.
        """
        count = len(np.unique(part[(split.fold >= 0) & (part >= 0)]))
        if count < _FEW:
            counted = f"{count} {word}" if count > 1 else f"1 {word.removesuffix('s')}"
            are = "are" if count > 1 else "is"
            self.warn(
                f"Only {counted} {are} tested: the interval is drawn within and says nothing of "
                f"other {word}."
            )
        return self.with_finer(replace(split, part=part, parts=parts, part_word=word))

    def with_finer(self, split: Split) -> Split:
        """The split with smaller units for intervals where few are tested."""
        tested = split.fold >= 0
        if len(np.unique(split.unit[tested])) >= _FEW:
            return split
        finer, word = self._finer()
        unit = split.unit * (int(finer.max()) + 1) + finer
        unit[split.unit < 0] = -1
        return replace(split, unit=unit, unit_word=word)
