"""export_for: a trained model as another program takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geotools.errors import ConfigError, FileError
from geotools.maps.inputs import FilePath, check_paths

__all__ = ["Export", "check_target", "export_for", "model_file"]


@dataclass(frozen=True, slots=True)
class Export:
    """What `export_for` has written."""

    path: Path
    """The file for the other program."""
    parity: Mapping[str, Any]
    """The file against the model it was made from."""
    sentence: str
    """What it is, in a sentence."""


def export_for(
    model: FilePath,
    output: FilePath,
    *,
    target: str = "deepness",
    tile: int | None = None,
    resolution_cm: float | None = None,
    overwrite: bool = False,
) -> Export:
    """Writes a model for another program.

    Args:
        model: an `.onnx` file that geotools wrote, the folder of a training, or the name of a
            shipped model.
        output: the `.onnx` file to write.
        target: `deepness`, a plugin of QGIS.
        tile: cells on a side of its tiles; what suits the model when None.
        resolution_cm: cell size in centimetres; the middle of the model's range when None.
        overwrite: replace the file when it exists.

    Raises:
        GeotoolsError: the model cannot be read, takes what the program cannot give, or the file
            cannot be written.
    """
    if target != "deepness":
        raise ConfigError(f"There is no export for {target!r}: give deepness.")
    path = model_file(model)
    written = check_target(path, output, overwrite)
    from geotools.training.export.deepness import export_deepness

    made = export_deepness(
        path, written, tile=tile, resolution_cm=resolution_cm, overwrite=overwrite
    )
    return Export(
        written,
        asdict(made.parity),
        f"{written}: {path.name} for {target}, images of {made.tile} x {made.tile} cells of "
        f"{made.resolution_cm:g} cm, which overlap by {made.overlap} %",
    )


def model_file(model: FilePath) -> Path:
    """The file of a model that is named by its path, its run folder, or as it is shipped.

    Raises:
        MissingExtraError: what writes models is not installed.
    """
    from geotools.inference.model import shipped_models
    from geotools.training.learners.table import check_extra

    check_extra()
    path = Path(model)
    if not path.exists() and str(model) in shipped_models():
        path = shipped_models()[str(model)]
    return path / "model.onnx" if path.is_dir() else path


def check_target(model: Path, output: FilePath, overwrite: bool) -> Path:
    """The file to write, when it may be.

    Raises:
        FileError: it exists, is the model itself, or is no name of a model.
    """
    written = check_paths(model, [output], overwrite)[0]
    if written.suffix.lower() != ".onnx":
        raise FileError(f"{written} is no name of a model: end it in .onnx.")
    return written
