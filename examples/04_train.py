"""Landforms learned from the polygons of 21 map sheets: a model, its honest score, a map."""

import sys
from pathlib import Path

import numpy as np
from geopandas import GeoDataFrame
from shapely import box

import geotools
from geotools.demo import write_jacksboro

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-train")
folder.mkdir(exist_ok=True)
dem = folder / "dem.tif"
write_jacksboro(dem, overwrite=True)  # or any elevation model of your own

# Labels: instead of polygons that somebody drew, geomorphons of a long search, as three classes,
# on square sheets with gaps between them. Every other sheet is kept for a test at the end.
geotools.map_landforms(
    dem,
    folder / "forms.tif",
    method=geotools.Geomorphons(search=20, skip=3, flat_deg=2),
    polygons=geotools.Polygons(folder / "forms.gpkg", 60_000),
    overwrite=True,
)
forms = geotools.read_layer(folder / "forms.gpkg")
three = {"peak": "ridge", "ridge": "ridge", "pit": "valley", "valley": "valley"}
forms["landform"] = forms["name"].map(three).fillna("slope")
forms = forms.dissolve("landform", as_index=False)[["landform", "geometry"]]
left, bottom, right, top = forms.total_bounds
corners = [
    (x, y, (col + row) % 2)
    for col, x in enumerate(np.arange(left + 0.015, right - 0.02, 0.047))
    for row, y in enumerate(np.arange(bottom + 0.015, top - 0.02, 0.047))
]
sheets = GeoDataFrame(
    {"sheet": range(1, len(corners) + 1), "kept": [kept for _, _, kept in corners]},
    geometry=[box(x, y, x + 0.015, y + 0.015) for x, y, _ in corners],
    crs=forms.crs,
)
drawn = forms.overlay(sheets, how="intersection", keep_geom_type=False).explode(ignore_index=True)
drawn = drawn[drawn.geom_type == "Polygon"]
for name, kept in (("labels", 0), ("check", 1)):
    geotools.write_layer(
        folder / f"{name}.gpkg",
        drawn[drawn["kept"] == kept].drop(columns="kept"),
        layer=name,
        overwrite=True,
    )

# What one would write to a TOML file for `geotools train`.
made = geotools.train(
    {
        "name": "landforms3",
        "features": ["terrain.slope", "terrain.mean_curvature", "terrain.tpi@300m",
                     "terrain.tpi@1km", "terrain.dev@1km", "terrain.relief@1km"],
        "inputs": [{"name": "dem", "path": str(dem), "role": "elevation"}],
        "labels": {"path": str(folder / "labels.gpkg"), "field": "landform", "group": "sheet"},
        "learner": {"name": "auto", "candidates": ["forest", "logistic"]},
    },
    folder / "run",
    overwrite=True,
)  # fmt: skip
print(made.sentence)
for name, score in made.evaluation["baselines"].items():
    print(f"{name}: {score:.3f}")

mapped = geotools.map_predictions(
    folder / "run" / "model.onnx",
    [dem],
    folder / "map.tif",
    polygons=geotools.Polygons(folder / "map.gpkg", 60_000),
    confidence=True,
    overwrite=True,
)
for name, area in mapped.area_m2.items():
    print(f"{name}: {area / 1e6:.0f} km²")
