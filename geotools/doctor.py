"""doctor: what is installed, and whether the parts that every map needs work together."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.effort import available_cores
from geotools.errors import GeotoolsError
from geotools.spec import InputInfo, ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Finding", "examine"]

_PACKAGES = (
    "geotools-ml", "numpy", "rasterio", "pyogrio", "geopandas", "shapely", "onnxruntime", "numba",
    "obspy", "matplotlib", "click", "rich",
)  # fmt: skip
_EXTRAS = ("torch", "onnx", "scikit-learn", "skl2onnx", "dask", "pyarrow")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """Its name."""
    ok: bool
    """False when geotools does not work because of it."""
    detail: str
    """A version, a number, or what went wrong."""


def examine() -> list[Finding]:
    """Everything that was looked at, in a fixed order; nothing is changed on the machine."""
    findings = [
        Finding("python", True, f"{platform.python_version()} on {platform.platform()}"),
        Finding("cores", True, str(available_cores())),
    ]
    findings += [_package(name, needed=True) for name in _PACKAGES]
    findings += [_package(name, needed=False) for name in _EXTRAS]
    for what, check in _CHECKS:
        try:
            findings.append(Finding(what, True, check()))
        except (GeotoolsError, ImportError, OSError, ValueError, AttributeError) as error:
            findings.append(Finding(what, False, str(error)))
    return findings


def _package(name: str, *, needed: bool) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        missing = "not installed" if needed else "not installed (needed by an extra alone)"
        return Finding(name, not needed, missing)


def _gdal() -> str:
    import pyogrio
    import rasterio

    vector = ".".join(str(part) for part in pyogrio.__gdal_version__)
    return f"{rasterio.__gdal_version__} for rasters, {vector} for vectors"


def _devices() -> str:
    from geotools.inference.sessions import available_devices

    return ", ".join(available_devices()) or "none"


def _device() -> str:
    """Where models run unless told otherwise, and why on nothing better."""
    from geotools.inference.model import open_model, shipped_models

    path = next(iter(shipped_models().values()), None)
    if path is None:
        return "not known without a model"
    model = open_model(path)
    return " ".join([model.device, *(f"({note})" for note in model.notes)])


def _models() -> str:
    from geotools.inference.model import open_model, shipped_models

    names = []
    for name, path in shipped_models().items():
        model = open_model(path)
        model.run({info.name: _sample(info, model.spec) for info in model.spec.inputs})
        names.append(name)
    if not names:
        raise FileNotFoundError("no model came with this installation: install geotools-ml anew")
    return ", ".join(names) + " run"


def _sample(info: InputInfo, spec: ModelSpec) -> NDArray[np.float32]:
    """An input of that kind, of plain numbers."""
    shapes = {
        "raster": (1, len(info.bands), 64, 64),
        "cell_size": (1, 2, 64, 1),
        "features": (4, len(info.bands)),
        "sequence": (4, 64, len(info.bands)),
        "horizon": (1,),
    }
    value = spec.cell_size_m[1] if info.kind == "cell_size" else float(info.kind == "horizon")
    return np.full(shapes[info.kind], value, np.float32)


def _raster_to_disk() -> str:
    from affine import Affine

    from geotools.grid import Grid
    from geotools.io.geotiff import open_raster, parse_crs
    from geotools.io.writing import create_geotiff

    grid = Grid(parse_crs("EPSG:32633"), Affine(10, 0, 5e5, 0, -10, 5e6), 16, 16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "check.tif"
        with create_geotiff(path, grid, bands=["a"], dtype="uint8", nodata=0) as writer:
            writer.write(np.ones((1, 16, 16), np.uint8), grid.window)
        with open_raster(path) as source:
            if not source.read(grid.window).valid.all():
                raise ValueError("a GeoTIFF came back other than it was written")
    return "a GeoTIFF was written and read back"


def _disk() -> str:
    usage = shutil.disk_usage(Path.cwd())
    return f"{usage.free / 2**30:.1f} GB free where you are"


_CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("GDAL", _gdal),
    ("ONNX Runtime devices", _devices),
    ("device", _device),
    ("models", _models),
    ("disk", _disk),
    ("writing", _raster_to_disk),
)
