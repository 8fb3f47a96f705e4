"""Draws the pictures of docs/tutorial-train.md, all from what examples/04_train.py makes.

    python docs/pictures/tutorial.py [FOLDER]

runs the example in FOLDER, trains again with three other splits, which takes some minutes, and
writes tutorial-labels.png, tutorial-map.png and tutorial-scores.png beside itself.
"""

from __future__ import annotations

import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # before pyplot, which looks for a screen otherwise

import matplotlib.pyplot as plt
import numpy as np
from geopandas import GeoDataFrame
from matplotlib.patches import Patch
from PIL import Image

import geotools
from geotools.terrain.attributes import attributes

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "04_train.py"

COLOURS = {"ridge": "#b5813c", "slope": "#e3d7a3", "valley": "#4d8fc0"}
FOLDS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377")

CONFIG = {
    "name": "landforms3",
    "features": [
        "terrain.slope", "terrain.mean_curvature", "terrain.tpi@300m",
        "terrain.tpi@1km", "terrain.dev@1km", "terrain.relief@1km",
    ],
    "learner": {"name": "auto", "candidates": ["forest", "logistic"]},
}  # fmt: skip
"""The example's, without the group."""


def main() -> None:
    """Nothing; writes the pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    sys.argv = [str(EXAMPLE), str(folder)]
    said = runpy.run_path(str(EXAMPLE), run_name="__main__")
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9.5, "axes.titlesize": 10.5})
    with geotools.open_raster(folder / "dem.tif") as source:
        grid = source.grid
        elevation = source.read(grid.window).filled()[0]
    (shade,) = attributes(elevation, *grid.cell_size_m(), ["hillshade"])
    draw_labels(folder, grid, shade)
    draw_map(folder, grid, shade)
    draw_scores(folder, said["made"].evaluation)


def draw_labels(folder: Path, grid: Any, shade: Any) -> None:
    """The sheets with their polygons, and the folds they are in."""
    labels = geotools.read_layer(folder / "labels.gpkg")
    check = geotools.read_layer(folder / "check.gpkg")
    split = geotools.read_layer(folder / "run" / "split.gpkg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
    for axes in (left, right):
        backdrop(axes, grid, shade)
    for name, colour in COLOURS.items():
        labels[labels["landform"] == name].plot(ax=left, color=colour, linewidth=0)
    labels.dissolve("sheet").boundary.plot(ax=left, color="#222222", linewidth=0.7)
    hulls(check).boundary.plot(ax=left, color="#222222", linewidth=0.7, linestyle=(0, (3, 2)))
    left.set_title("labels.gpkg: 21 sheets; dashed: check.gpkg", loc="left")
    key(left, COLOURS)
    parts = sorted(split["part"].unique())
    colours = dict(zip(parts, FOLDS, strict=False))
    for part, colour in colours.items():
        split[split["part"] == part].plot(
            ax=right, color=colour, markersize=2.2, marker="s", linewidth=0
        )
    right.set_title("split.gpkg: the round that tests a sheet", loc="left")
    key(right, colours)
    save(figure, "tutorial-labels.png")


def draw_map(folder: Path, grid: Any, shade: Any) -> None:
    """Classes and confidence."""
    with geotools.open_raster(folder / "map.tif") as source:
        codes, confidence = source.read(source.grid.window).data
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in ("#ffffff", *COLOURS.values())])
    light = 0.55 + 0.45 * np.clip(shade / 255 * 1.25, 0, 1)[..., None]
    left.imshow(rgb[codes.astype(int)] * light, extent=extent(grid), aspect=aspect(grid))
    left.set_title("map.tif: the class of every cell", loc="left")
    key(left, COLOURS)
    image = right.imshow(
        np.where(codes > 0, confidence, np.nan), extent=extent(grid), aspect=aspect(grid),
        cmap="cividis", vmin=40, vmax=100,
    )  # fmt: skip
    right.set_title("its second band: confidence", loc="left")
    figure.colorbar(image, ax=right, label="per cent", shrink=0.8)
    for axes in (left, right):
        axes.set_axis_off()
    save(figure, "tutorial-map.png")


def draw_scores(folder: Path, by_sheets: Any) -> None:
    """What each split says of the same data, and what other sheets say."""
    rows = [("cells at random", run(folder, "random")), ("polygons", run(folder, "polygons")),
            ("blocks", run(folder, "blocks")), ("sheets", by_sheets)]  # fmt: skip
    tested = geotools.evaluate_map(
        folder / "map.tif",
        {"path": str(folder / "check.gpkg"), "field": "landform"},
        folder / "check.html",
        metric="macro_f1",
        overwrite=True,
    )
    rows.append(("21 other sheets", tested.evaluation))
    figure, axes = plt.subplots(figsize=(7.2, 2.7), layout="constrained")
    for place, (name, found) in enumerate(rows):
        low, high = found["interval"]
        last = place == len(rows) - 1
        colour = "#b5813c" if name == "cells at random" else "#222222" if last else "#2b6ea6"
        axes.plot([low, high], [place, place], color=colour, linewidth=2.4, solid_capstyle="round")
        axes.plot(found["score"], place, "o", color=colour, markersize=7)
        axes.annotate(
            f"{found['score']:.3f}", (high, place), (6, 0), textcoords="offset points",
            va="center", color=colour,
        )  # fmt: skip
        print(f"{name}: {found['score']:.3f} ({low:.3f} to {high:.3f}), {found['split']}")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.axhline(len(rows) - 1.5, color="#999999", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.11, y=0.12)
    axes.set_xlabel("macro-F1 and its 95 % interval")
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    save(figure, "tutorial-scores.png")


def run(folder: Path, kind: str) -> Any:
    """The figures of a training that differs in its split alone."""
    made = geotools.train(
        {
            **CONFIG,
            "inputs": [{"name": "dem", "path": str(folder / "dem.tif"), "role": "elevation"}],
            "labels": {"path": str(folder / "labels.gpkg"), "field": "landform"},
            "split": {"kind": kind},
        },
        folder / kind,
        overwrite=True,
    )
    return made.evaluation


def backdrop(axes: Any, grid: Any, shade: Any) -> None:
    """Light and shade of the terrain."""
    axes.imshow(
        shade, cmap="gray", vmin=40, vmax=255, alpha=0.6, extent=extent(grid), aspect=aspect(grid)
    )
    axes.set_axis_off()


def hulls(frame: GeoDataFrame) -> GeoDataFrame:
    """The outline of each sheet."""
    return frame.dissolve("sheet").envelope


def extent(grid: Any) -> tuple[float, float, float, float]:
    """Left, right, bottom, top, as matplotlib wants them."""
    left, bottom, right, top = grid.bounds
    return left, right, bottom, top


def aspect(grid: Any) -> float:
    """Height of a degree over its width, so that the map is as on the ground."""
    x_m, y_m = grid.cell_size_m()
    return float(y_m[grid.height // 2] / x_m[grid.height // 2])


def key(axes: Any, colours: dict[str, str]) -> None:
    """Names and colours below the map."""
    axes.legend(
        handles=[Patch(color=colour, label=name) for name, colour in colours.items()],
        loc="lower center", bbox_to_anchor=(0.5, -0.09), ncols=len(colours), frameon=False,
        handlelength=1, handleheight=1, columnspacing=1.2,
    )  # fmt: skip


def save(figure: Any, name: str) -> None:
    """The figure as a PNG of few colours."""
    figure.savefig(HERE / name, dpi=92, facecolor="white")
    plt.close(figure)
    with Image.open(HERE / name) as image:
        small = image.convert("RGB").quantize(112, kmeans=8, dither=Image.Dither.NONE)
    small.save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
