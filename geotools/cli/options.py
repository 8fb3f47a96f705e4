"""The flags that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from geotools.effort import Effort, parse_bytes

__all__ = ["dem_options", "effort", "run_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def run_options(function: _Function) -> _Function:
    """Adds --tile, --threads, --memory, --overwrite and --progress."""
    for option in reversed(_RUN):
        function = option(function)
    return function


def dem_options(function: _Function) -> _Function:
    """Adds --crs, --band, --nodata and --z-factor."""
    for option in reversed(_DEM):
        function = option(function)
    return function


def effort(tile: int | None, threads: int | None, memory: str | None) -> Effort:
    """What --tile, --threads and --memory ask for."""
    return Effort(threads=threads, tile=tile, memory_bytes=parse_bytes(memory) if memory else None)


_RUN = (
    click.option("--tile", type=int, metavar="N", help="Cells on a side of a tile."),
    click.option("--threads", type=int, metavar="N", help="Tiles at the same time [all cores]."),
    click.option(
        "--memory",
        metavar="SIZE",
        help="Memory for tiles, such as 2G; polygons take more.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    click.option(
        "--progress",
        type=click.Choice(["auto", "plain", "json", "none"]),
        default="auto",
        show_default=True,
        help="How to tell of progress.",
    ),
)

_DEM = (
    click.option("--crs", metavar="CRS", help="CRS of the DEM, such as EPSG:32633."),
    click.option("--band", type=int, metavar="N", help="Band that holds the elevation."),
    click.option("--nodata", type=float, metavar="VALUE", help="Value of missing cells."),
    click.option(
        "--z-factor",
        type=float,
        metavar="F",
        help="Metres in a unit of elevation, 0.3048 for feet [from the file, else 1].",
    ),
)
