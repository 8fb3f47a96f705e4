"""The pictures of docs/qgis.md: screenshots of the desktop test, in fewer colours.

GEOTOOLS_PICTURES=FOLDER GEOTOOLS_DEM=geotools-demo/jacksboro_dem.tif GEOTOOLS_CATALOG=CATALOG \\
    VENV-OF-QGIS/bin/python -m pytest tests/qgis/test_real_desktop.py
python docs/pictures/qgis/shrink.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent

if __name__ == "__main__":
    for name in ("dialog", "landforms", "events", "forecast"):
        with Image.open(Path(sys.argv[1]) / f"{name}.png") as picture:
            shown = picture.convert("RGB")
            if name == "forecast":  # without the toolbars, which the others show
                shown = shown.crop((0, 95, 1400, 830))
            # By octree: the colours of a legend are few cells, which others give away.
            small = shown.quantize(256, method=Image.Quantize.FASTOCTREE)
            small.save(HERE / f"{name}.png", optimize=True)
