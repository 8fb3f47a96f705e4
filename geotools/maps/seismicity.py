"""map_seismicity: an earthquake catalog becomes a map of rates, b-values and the like."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import Effort
from geotools.errors import EventsError
from geotools.events import check_events, days
from geotools.grid import Grid, Tile, TileScheme, Window
from geotools.io.atomic import check_output
from geotools.io.catalogs import read_catalog
from geotools.io.writing import create_geotiff
from geotools.maps.catalogs import origin, tell_of
from geotools.maps.event_choice import SeismicitySettings, choose, mainshocks, period_days
from geotools.maps.event_counts import count_events, make_sampler, neighbourhood
from geotools.maps.event_grids import MapPlace, cell_centres, cells_of, event_grid
from geotools.maps.event_styles import style_of
from geotools.maps.events import EventSelection
from geotools.maps.inputs import FilePath, as_text, check_paths
from geotools.raster import Raster
from geotools.seismicity.quantities import QUANTITIES, Counted, Quantity
from geotools.seismicity.sampling import Cells, Sampler
from geotools.seismicity.summary import CatalogSummary, summarize
from geotools.stream import Progress, map_tiles

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["SeismicityMap", "map_seismicity"]

_TILE = 256
_TILE_BYTES = 48 * 2**20
"""Working memory of a tile, at most."""

_PREVIEWS = 40
"""Pieces of rows, about, whose values decide what the colours stand for."""


@dataclass(frozen=True, slots=True)
class SeismicityMap:
    """What `map_seismicity` has written."""

    path: Path
    """The GeoTIFF."""
    bands: tuple[str, ...]
    """Names of the bands, the quantity first."""
    grid: Grid
    """Where its cells are."""
    events: int
    """Events that were counted."""
    completeness: str
    """Completeness magnitude, in words."""
    neighbourhood: str
    """Which events a cell has, in words."""
    cells_with_value: int
    """Cells where the quantity is known."""
    summary: CatalogSummary
    """A page about the events on the map, before completeness and declustering."""
    seconds: float
    """Wall time."""


def map_seismicity(
    catalog: FilePath | GeoDataFrame,
    output: FilePath,
    quantity: str = "rate",
    *,
    settings: SeismicitySettings | None = None,
    place: MapPlace | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    all_types: bool = False,
    effort: Effort | None = None,
    compress: str = "deflate",
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> SeismicityMap:
    """Writes a quantity of a catalog with its uncertainty: float32 bands with names and units.

    Cells with too few events are NaN, which is declared as nodata. Rates are events per Julian
    year and square kilometre, whatever the cells. Events of unknown magnitude are left out.

    Args:
        catalog: any file that `read_events` reads, or an event table.
        output: GeoTIFF.
        quantity: a name of `geotools.seismicity.quantities.QUANTITIES`.
        settings: what is counted, and how.
        place: the grid; cells of degrees around the events when None.
        format, columns, all_types: as `read_events`.
        effort: threads, tile size, memory.
        compress: one of `geotools.io.writing.COMPRESSIONS`.
        overwrite: replace an output that exists.
        progress: called after every tile.
        warn: called with what a reader of the map must know.

    Raises:
        GeotoolsError: an input, an output or a setting that cannot be; nothing is written then.
    """
    begun = time.monotonic()
    settings, place, effort = (
        settings or SeismicitySettings(), place or MapPlace(), effort or Effort(),
    )  # fmt: skip
    if quantity not in QUANTITIES:
        raise EventsError(f"Quantity {quantity!r} is unknown: use one of {', '.join(QUANTITIES)}.")
    kind = QUANTITIES[quantity]
    tell = warn or (lambda sentence: None)
    if isinstance(catalog, (str, os.PathLike)):
        target = check_paths(catalog, [output], overwrite)[0]
        events, report = read_catalog(catalog, format=format, columns=columns, all_types=all_types)
        tell_of(report, tell)
        source = origin(Path(catalog), report)
    else:
        target = check_output(output, overwrite=overwrite)
        events, source = check_events(catalog), {"source": "an event table"}
    events = _usable(events, settings, tell)
    longitude, latitude = (events[name].to_numpy(np.float64) for name in ("longitude", "latitude"))
    grid = event_grid(longitude, latitude, place)
    row, col, inside = cells_of(grid, longitude, latitude)
    if not inside.any():
        raise EventsError(f"None of the {len(events):,} events lies on the map: move its box.")
    summary = summarize(
        days(events["time"])[inside],
        events["magnitude"].to_numpy(np.float64)[inside],
        delta_m=settings.delta_m,
    )
    period = period_days(events, settings.start, settings.end)
    mc = ("auto" if kind.is_complete else None) if settings.mc is None else settings.mc
    chosen = choose(events, inside, mc=mc, settings=settings, period=period)
    use = chosen.use
    if settings.declustered is not None:
        use = mainshocks(events, use, settings.declustered, reference=chosen.reference)
    radius_km, nearest = neighbourhood(kind, settings, grid)
    if radius_km is None and nearest is None:
        use = use & inside
        if not use.any():
            raise EventsError("No event that counts lies on the map: move its box or lower --mc.")
    counted, shared = count_events(events, use, chosen, kind, settings, period)
    sampler, words = make_sampler(counted, radius_km, nearest, (row[use], col[use]))
    tags = {
        "quantity": kind.name,
        "title": kind.title,
        "completeness": chosen.mc,
        "magnitude_min": "" if math.isnan(chosen.reference) else f"{chosen.reference:g}",
        "events": str(int(use.sum())),
        "neighbourhood": words,
        "min_events": str(shared.min_events),
        "period_start": _iso(period[0]),
        "period_end": _iso(period[1]),
        "years": f"{shared.years:.6g}",
        "declustered": settings.declustered or "no",
        "parameters": as_text({"delta_m": settings.delta_m, "since": settings.since}),
        "notes": " ".join(summary.notes),
        **source,
    }
    compute, known = _computing(grid, kind, shared, sampler)
    per_cell = 16 * counted.code_count + 200 + sampler.bytes_per_cell
    size = min(_TILE, max(16, int(math.sqrt(_TILE_BYTES / per_cell)) // 16 * 16))
    preview = _preview(grid, row[use & inside], col[use & inside], size, compute)
    with ExitStack() as stack:
        writer = stack.enter_context(
            create_geotiff(
                target,
                grid,
                bands=[name for name, _ in kind.bands],
                units=[unit for _, unit in kind.bands],
                dtype="float32",
                nodata=float("nan"),
                tags=tags,
                style=style_of(preview, kind.scale),
                compress=compress,
                method="seismicity",
                overwrite=overwrite,
            )
        )
        tile, threads = effort.plan(tile=size, halo=0, bytes_per_cell=per_cell)
        map_tiles(
            _Place(grid), (writer,), TileScheme(tile), compute,
            threads=threads, stage="seismicity", progress=progress,
        )  # fmt: skip
        if not sum(known.values()):
            raise EventsError(
                f"No cell has the {shared.min_events} events that {kind.name} needs (events taken: "
                f"{words}): give a larger --radius or --cell, or a smaller --min-events."
            )
    return SeismicityMap(
        target, writer.bands, grid, int(use.sum()), chosen.mc, words, sum(known.values()), summary,
        time.monotonic() - begun,
    )  # fmt: skip


class _Place:
    """A source with a place and no pixels: what a map of events is computed from."""

    bands = ()

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def read(self, window: Window) -> Raster:
        """The place of the window."""
        empty = np.zeros((0, *window.shape), np.uint8)
        return Raster(empty, np.ones(window.shape, np.bool_), self.grid.cut(window), ())


_Compute = Callable[[Raster | None, Tile], tuple["NDArray[Any]", ...]]


def _computing(
    grid: Grid, kind: Quantity, shared: Counted, sampler: Sampler
) -> tuple[_Compute, dict[Window, int]]:
    """The function of a tile, and the number of cells with a value in each that it has done."""
    known: dict[Window, int] = {}

    def compute(block: Raster | None, at: Tile) -> tuple[NDArray[Any], ...]:
        place = grid.cut(at.write)
        longitude, latitude = cell_centres(place, place.window)
        area = np.repeat(place.cell_area_m2() / 1e6, place.width)
        samples = sampler.sample(Cells(at.write, longitude, latitude, area))
        row, col = np.divmod(np.arange(longitude.size), place.width)
        position = np.stack([row + at.write.row_off, col + at.write.col_off], axis=1)
        values = np.stack(kind.compute(samples, shared, position)).astype(np.float32)
        values[:, ~np.isfinite(longitude)] = np.nan  # (bands, cells)
        if block is not None:
            known[at.write] = int(np.isfinite(values[0]).sum())
        return (values.reshape(-1, *place.shape),)

    return compute, known


def _preview(
    grid: Grid, row: NDArray[np.int64], col: NDArray[np.int64], size: int, compute: _Compute
) -> NDArray[np.floating]:
    """The quantity along a few pieces of rows that hold events, for the range of the colours.

    Args:
        grid: the grid.
        row, col: (events,) cells of the events.
        size: cells of a piece, at most.
        compute: the function of a tile.
    """
    step = max(1, row.size // _PREVIEWS)
    windows = {
        Window(start, at, min(size, grid.width - start), 1)
        for at, start in zip(
            row[::step].tolist(), (col[::step] // size * size).tolist(), strict=True
        )
    }
    pieces = [compute(None, Tile(window, window))[0][0].ravel() for window in windows]
    return np.concatenate([np.zeros(0, np.float32), *pieces])


def _usable(
    events: GeoDataFrame, settings: SeismicitySettings, tell: Callable[[str], None]
) -> GeoDataFrame:
    """The events of the period whose magnitudes are known."""
    if events.empty:
        raise EventsError("The catalog holds no event: there is nothing to map.")
    events, left_out = EventSelection(start=settings.start, end=settings.end).apply(events)
    if events.empty:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        raise EventsError(f"No event is left ({reasons}): move the start or the end.")
    unknown = events["magnitude"].isna()
    if unknown.all():
        raise EventsError(
            f"None of the {len(events):,} events has a magnitude: give a catalog with magnitudes."
        )
    if unknown.any():
        tell(f"{int(unknown.sum()):,} events left out: magnitude unknown.")
        events = events[~unknown].reset_index(drop=True)
    return events


def _iso(moment_days: float) -> str:
    """A moment of the axis of days as text."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=moment_days)).isoformat()
