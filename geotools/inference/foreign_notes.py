"""What a user of somebody else's model should know of its map; a sentence each."""

from __future__ import annotations

from dataclasses import dataclass

from geotools.inference.deepness import Keys
from geotools.inference.layouts import Layout
from geotools.inference.probing import Measured
from geotools.inference.terms import ForeignSettings

__all__ = ["Facts", "foreign_notes", "seams"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model whose map is to be described."""

    file: str
    """Where it came from."""
    layout: Layout
    """How it takes bands and gives its map."""
    keys: Keys
    """What its metadata says."""
    settings: ForeignSettings
    """The user's word."""
    measured: Measured
    """Where its map lies, and whether seams show."""
    statistics: tuple[str, ...]
    """Operators that look at whole blocks."""
    is_values: bool
    """It gives values, not classes."""
    is_labels: bool
    """It gives the numbers of classes, not their probabilities."""


def seams(measured: Measured) -> str:
    """How blocks are put together: exact, by their middles, or side by side."""
    if measured.is_seamless:
        return "exact"
    margin = measured.scheme.margin
    return f"centre crop of {margin} cells" if margin else "tiles side by side"


def foreign_notes(facts: Facts) -> tuple[str, ...]:
    """The sentences, the ones that change most of the map first."""
    file, footprint = facts.file, facts.measured.footprint
    rows, cols = footprint.side
    notes = []
    heads = facts.layout.heads
    if len(heads) > 1 and facts.settings.head is None:
        names = ", ".join(head.name for head in heads)
        notes.append(
            f"The model {file} has {len(heads)} outputs ({names}), the first is mapped: choose "
            "another with --head."
        )
    if footprint.is_tile:
        notes.append(
            f"The model {file} gives one result for each tile of {rows} x {cols} cells: its map "
            "has one cell a tile, counted from the first cell of the raster, and the tiles of its "
            "last row and column may reach beyond the raster, whose nearest cells then fill them."
        )
    elif footprint.coarser > 1:
        notes.append(
            f"The model {file} gives one cell for {footprint.coarser} x {footprint.coarser}: its "
            "map is coarser, counted from the first cell of the raster."
        )
    elif footprint.finer > 1:
        notes.append(
            f"The model {file} gives {footprint.finer} x {footprint.finer} cells for each: its map "
            "is finer than the raster."
        )
    if not facts.measured.is_placed:
        notes.append(
            f"The model {file} gives {footprint.inner[0]} x {footprint.inner[1]} cells for "
            f"{rows} x {cols}, and where they lie could not be measured: they are taken for those "
            "in the middle."
        )
    notes += _of_seams(facts)
    if facts.is_labels:
        notes.append(
            f"The model {file} gives classes without probabilities: a confidence of 100 says "
            "nothing."
        )
    if facts.keys.median > 1 and not facts.is_values:
        notes.append(
            f"The model {file} asks for a median of {facts.keys.median} cells over its classes, "
            "which is not taken: --min-area merges small polygons."
        )
    return tuple(notes)


def _of_seams(facts: Facts) -> list[str]:
    """Why tiles are to be seen, where that is known beforehand."""
    weaker = "a larger --tile-size or --overlap makes that weaker"
    if facts.settings.standardize is not None:
        return [
            f"Every tile is standardised by itself for the model {facts.file}: the same ground "
            f"gets other numbers in another tile, so that seams may show ({weaker})."
        ]
    if facts.statistics and not facts.measured.footprint.is_tile:
        return [
            f"The model {facts.file} looks at whole tiles at once "
            f"({', '.join(facts.statistics)}): no overlap makes its map independent of where tiles "
            f"lie, and seams may show ({weaker})."
        ]
    return []
