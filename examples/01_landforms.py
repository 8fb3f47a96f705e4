"""Landforms of an elevation model: by the shipped model, and by the exact algorithm."""

import sys
from pathlib import Path

import geotools
from geotools.demo import write_jacksboro

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-landforms")
folder.mkdir(exist_ok=True)
dem = folder / "dem.tif"
write_jacksboro(dem, overwrite=True)  # or any elevation model of your own

learned = geotools.map_landforms(
    dem, folder / "landforms.tif", polygons=folder / "landforms.gpkg", overwrite=True
)
exact = geotools.map_landforms(
    dem, folder / "exact.tif", method=geotools.Geomorphons(search=15), overwrite=True
)
for name, area in learned.area_m2.items():
    print(f"{name:10} {area / 1e6:8.1f} km²   exact {exact.area_m2[name] / 1e6:8.1f} km²")
