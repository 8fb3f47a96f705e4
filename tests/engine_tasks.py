"""Tasks that worker processes can import, and that fail in every way."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from conftest import make_grid, make_raster, make_terrain

from geotools.errors import RasterError
from geotools.grid import TileScheme
from geotools.raster import Layer


class TwiceWork:
    """Twice the elevation."""

    layers = (Layer("twice", ("twice",), "float32", float("nan")),)
    stage = "doubling"

    def __init__(self, task):
        self.source = make_raster(make_terrain(200, 300), make_grid(300, 200))
        self.grid, self.tiling, self.task = self.source.grid, TileScheme(50), task

    def placed(self, window):
        return window

    def tile(self, tile):
        if (tile.write.row_off, tile.write.col_off) == (50, 100):
            self.task.fail()
        return (self.source.read(tile.read).data * 2,)


@dataclass(frozen=True)
class TwiceTask:
    """Its task, one tile of which fails."""

    how: str = ""
    marks: str = ""

    def identity(self):
        return {"how": self.how}

    @contextmanager
    def open(self):
        if self.how == "stillborn":
            os._exit(7)
        yield TwiceWork(self)

    def fail(self):
        if self.marks:  # once for every file that is still there
            left = sorted(os.listdir(self.marks))
            if not left:
                return
            os.unlink(os.path.join(self.marks, left[0]))
        if self.how == "error":
            raise RasterError("The raster refuses.")
        if self.how == "bug":
            raise ZeroDivisionError("of the model")
        if self.how == "exit":
            os._exit(7)
        if self.how == "hang":
            time.sleep(1e6)
        if self.how == "print":
            print("what libraries print", flush=True)
        if self.how == "memory":
            np.ones(2**31, np.uint8).copy()
