"""Terrain attributes: from file to file, and on arrays."""

import sys
from pathlib import Path

import geotools
from geotools.demo import write_jacksboro
from geotools.terrain.attributes import attributes

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-terrain")
folder.mkdir(exist_ok=True)
dem = folder / "dem.tif"
write_jacksboro(dem, overwrite=True)  # or any elevation model of your own

# From file to file, in bounded memory, whatever the size: one band for each attribute.
geotools.map_terrain(
    dem, folder / "terrain.tif", ["slope", "aspect", "hillshade", "dev"], overwrite=True
)

# On arrays: cell sizes in metres, one for each row, make degrees right by themselves.
with geotools.open_raster(dem) as source:
    elevation = source.read(source.grid.window).filled()[0]  # (rows, cols), NaN where invalid
    x_m, y_m = source.grid.cell_size_m()
(slope,) = attributes(elevation, x_m, y_m, ["slope"])
print(f"mean slope {float(slope[1:-1, 1:-1].mean()):.2f} degrees")
