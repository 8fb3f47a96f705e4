"""A map by the workers of a Dask scheduler: here one of two processes, elsewhere a cluster."""

import sys
from pathlib import Path

import geotools
from geotools.demo import write_jacksboro

if __name__ == "__main__":  # workers are new processes, which read this file too
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-dask")
    folder.mkdir(exist_ok=True)
    dem = folder / "dem.tif"
    write_jacksboro(dem, overwrite=True)  # or any elevation model of your own

    # A cluster: scheduler="tls://HOST:8786", folder=Path("/shared/job"), which all workers reach.
    running = geotools.Running(scheduler="local", workers=2, unit_cells=256)
    made = geotools.map_landforms(
        dem, folder / "landforms.tif", effort=geotools.Effort(tile=256), running=running,
        overwrite=True,
    )  # fmt: skip
    print(f"{made.path} by {made.method}, {made.seconds:.1f} s")
