"""Pictures of results, for those who would rather look than read; matplotlib, imported late."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError
from geotools.io.atomic import write_atomic
from geotools.io.geotiff import open_raster
from geotools.io.ramps import RAMP, log_stops
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from geotools.inference.issued import Issued

__all__ = ["forecast_picture", "landform_picture"]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_RECENT_DAYS = 30
_MOST_DRAWN = 20_000
"""Events in a picture of a forecast: those of so many days, and no more than so many."""


def landform_picture(
    dem: str | os.PathLike[str],
    landforms: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    classes: Sequence[ClassInfo],
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Writes a PNG: the elevation model in relief, its landforms over it, and their shares.

    Args:
        dem: the elevation model; as it is read whole, one that fits in memory.
        landforms: the class raster on the same grid.
        output: the PNG.
        classes: the classes of the raster.
        title: a line above the picture.
        overwrite: replace an existing picture.

    Raises:
        FileError: a raster cannot be read or the picture not be written.
    """
    from matplotlib.colors import LightSource, ListedColormap
    from matplotlib.figure import Figure

    with open_raster(dem) as source, open_raster(landforms, bands=[1]) as forms:
        elevation = source.read(source.grid.window).filled()[0]  # (rows, cols)
        codes = forms.read(forms.grid.window)
        x_m, y_m = source.grid.cell_size_m()
        area = forms.grid.cell_area_m2()
    relief = LightSource(azdeg=315, altdeg=40).hillshade(
        np.nan_to_num(elevation, nan=float(np.nanmin(elevation))),
        dx=float(x_m.mean()),
        dy=float(y_m.mean()),
        vert_exag=2,
    )  # (rows, cols)
    shown = np.ma.masked_where(~codes.valid, codes.data[0])
    palette = ListedColormap(["#00000000"] + [_color(classes, code) for code in range(1, 256)])

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.45))
    aspect = float(y_m.mean() / x_m.mean())
    left.imshow(elevation, cmap="terrain", aspect=aspect)
    left.imshow(relief, cmap="gray", alpha=0.55, aspect=aspect)
    left.set_title(
        f"Elevation {np.nanmin(elevation):.0f} to {np.nanmax(elevation):.0f} m", fontsize=10
    )
    middle.imshow(relief, cmap="gray", aspect=aspect)
    middle.imshow(
        shown, cmap=palette, vmin=0, vmax=255, alpha=0.75, aspect=aspect, interpolation="nearest"
    )
    middle.set_title("Landforms", fontsize=10)
    for axes in (left, middle):
        axes.set_xticks([])
        axes.set_yticks([])
    _draw_shares(right, codes.data[0], codes.valid, area, classes)
    figure.suptitle(title, fontsize=12)
    with write_atomic(output, overwrite=overwrite, verify=_check_png) as part:
        figure.savefig(part, dpi=90)


def forecast_picture(
    issued: Issued,
    events: GeoDataFrame,
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> None:
    """Writes a PNG: expected numbers, how they differ from the baseline, and the latest events.

    Args:
        issued: the forecast.
        events: the event table that it was made from.
        output: the PNG.
        overwrite: replace an existing picture.

    Raises:
        FileError: the picture cannot be written.
    """
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.figure import Figure

    forecast = issued.forecast
    grid, region, lowest = forecast.rates.grid, forecast.rates.valid, forecast.magnitudes[0]
    expected = np.where(region, forecast.at_least(lowest), np.nan)  # (rows, cols)
    ratio = expected / issued.smoothed.at_least(lowest)
    west, south, east, north = grid.bounds
    stops = log_stops(float(np.nanpercentile(expected, 25)), float(np.nanmax(expected)))
    ramp = LinearSegmentedColormap.from_list("forecast", RAMP)
    recent = events[issued.used].iloc[-_MOST_DRAWN:]
    days = (forecast.start - recent["time"]).dt.total_seconds().to_numpy() / 86_400
    recent = recent[days <= _RECENT_DAYS]
    # Longitudes on the side of the grid, which may go on beyond 180 degrees.
    x = west + (recent["longitude"].to_numpy() - west) % 360
    sizes = 4 * 1.9 ** (recent["magnitude"].to_numpy() - issued.mc)

    middle = np.cos(np.radians((south + north) / 2))
    wide = (east - west) * middle / (north - south)
    figure = Figure(figsize=(13, min(7.5, 1.6 + 5.5 / wide)), layout="constrained")
    panels = (
        (expected, LogNorm(stops[0].value, stops[-1].value), ramp, "expected number in a cell"),
        (ratio, LogNorm(0.01, 100), "RdYlBu_r", "times the long-term baseline"),
    )
    for axes, (values, norm, colors, label) in zip(figure.subplots(1, 2), panels, strict=True):
        drawn = axes.imshow(
            values, extent=(west, east, south, north), norm=norm, cmap=colors,
            interpolation="nearest", aspect=1 / middle,
        )  # fmt: skip
        axes.scatter(
            x, recent["latitude"], s=sizes, facecolors="none", edgecolors="#222222", linewidths=0.6
        )
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.tick_params(labelsize=8)
        axes.set_facecolor("#e9ecef")
        figure.colorbar(drawn, ax=axes, shrink=0.75, label=label, extend="both")
    low, high = issued.interval(lowest)
    figure.suptitle(
        f"{forecast.name}: {forecast.total:.3g} earthquakes of M {lowest:g} or more expected "
        f"({low} to {high}), {forecast.start:%Y-%m-%d %H:%M} to {forecast.end:%Y-%m-%d %H:%M} UTC\n"
        f"long-term baseline {issued.smoothed.total:.3g}; circles: events of the {_RECENT_DAYS} "
        "days before",
        fontsize=10,
    )
    with write_atomic(output, overwrite=overwrite, verify=_check_png) as part:
        figure.savefig(part, dpi=90)


def _color(classes: Sequence[ClassInfo], code: int) -> str:
    return next((info.color for info in classes if info.code == code), "#00000000")


def _draw_shares(
    axes: Any,
    codes: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    area: NDArray[np.float64],
    classes: Sequence[ClassInfo],
) -> None:
    """A bar for each class: its share of the mapped area, in per cent."""
    per_cell = np.broadcast_to(area[:, None], codes.shape)
    total = float(per_cell[valid].sum())
    shares = [100 * float(per_cell[valid & (codes == info.code)].sum()) / total for info in classes]
    names = [info.name for info in classes]
    axes.barh(names, shares, color=[info.color for info in classes], edgecolor="#444444")
    axes.invert_yaxis()
    axes.set_xlabel("share of area (%)", fontsize=9)
    axes.tick_params(labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _check_png(part: Path) -> None:
    content = part.read_bytes()
    if not content.startswith(_PNG_MAGIC) or b"IEND" not in content[-16:]:
        raise FileError(f"{part} is not a whole PNG: is the disk full?")
