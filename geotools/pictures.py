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
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["landform_picture"]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


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
