"""How much memory whole predictions take, each in a process of its own."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from conftest import make_grid, make_terrain
from onnx_bytes import neighbourhood_model
from rasterio.windows import Window

BLOCK = 512


class Run(NamedTuple):
    """What became of a process."""

    code: int
    peak: int  # bytes, the most it has held
    wall: float  # seconds
    cpu: float  # seconds
    said: str  # on stderr


def make_model(folder: Path, *, bands: int = 1, **more: int) -> Path:
    """A net of one convolution; `more` is as `neighbourhood_model` takes it."""
    path = folder / f"net{bands}.onnx"
    path.write_bytes(neighbourhood_model(bands=bands, **more))
    return path


def make_raster(
    folder: Path, side: int, *, bands: int = 1, blocks: int | None = None, dtype: str = "float32"
) -> Path:
    """A GeoTIFF of so many cells a side; of `blocks` scattered blocks, or of all."""
    path = folder / f"{side}x{bands}.tif"
    nodata = 0.0 if dtype == "uint8" else -9999.0
    grid = make_grid(side, side, cell=10.0)
    block = np.stack([make_terrain(BLOCK, BLOCK, seed=band) for band in range(bands)])
    if dtype == "uint8":
        block = 1 + block % 255
    block = block.astype(dtype)
    rng = np.random.default_rng(0)
    across = side // BLOCK
    places = [(row, col) for row in range(across + 1) for col in range(across + 1)]
    if blocks is not None:
        places = [tuple(int(n) for n in rng.integers(0, across, 2)) for _ in range(blocks)]
    with rasterio.open(
        path, "w", driver="GTiff", count=bands, height=side, width=side, dtype=dtype,
        crs=grid.crs, transform=grid.transform, nodata=nodata, tiled=True, blockxsize=BLOCK,
        blockysize=BLOCK, compress="zstd", zstd_level=1, sparse_ok=True, bigtiff="yes",
    ) as dataset:  # fmt: skip
        for row, col in places:
            height = min(BLOCK, side - row * BLOCK)
            width = min(BLOCK, side - col * BLOCK)
            if height > 0 and width > 0:
                dataset.write(
                    block[:, :height, :width],
                    window=Window(col * BLOCK, row * BLOCK, width, height),
                )
    return path


def predict(folder: Path, model: Path, raster: Path, *arguments: str) -> Run:
    """`geotools predict` in a process."""
    output = str(folder / "map.tif")
    return run(
        "-m", "geotools", "predict", str(model), str(raster), "-o", output, "--overwrite",
        "--progress", "none", *arguments,
    )  # fmt: skip


def opened(model: Path) -> Run:
    """Interpreter, libraries and the model alone."""
    return run(
        "-c",
        "import sys, geotools.cli.predict, geotools.maps.predict\n"
        "from geotools.maps.predict_order import open_models\n"
        "open_models(sys.argv[1], None, 'cpu')",
        str(model),
    )


def run(*arguments: str) -> Run:
    """A process of Python, and what it took."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = _Peak(process.pid)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        process.returncode, peak.stop(), time.perf_counter() - begun,
        usage.ru_utime + usage.ru_stime, said,
    )  # fmt: skip


class _Peak(threading.Thread):
    """The most that a process holds; its ru_maxrss counts what its parent held before exec."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._bytes, self._running = 0, True
        self.start()

    def run(self) -> None:
        """Looks again and again: the kernel keeps the highest."""
        while self._running:
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("VmHWM"):
                    self._bytes = int(line.split()[1]) * 1024
            time.sleep(0.01)

    def stop(self) -> int:
        """Bytes."""
        self._running = False
        self.join()
        return self._bytes
