"""PredictTask: a prediction in a form that other processes can be sent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import GeotoolsError
from geotools.maps.area import AreaOptions, place_area
from geotools.maps.inputs import DemOptions
from geotools.maps.predict_inputs import RasterOptions, open_input
from geotools.raster import Source

if TYPE_CHECKING:
    from geotools.inference.prediction import Asked, Prediction
    from geotools.inference.predictor import Predictor
    from geotools.inference.sessions import SessionOptions
    from geotools.inference.terms import ForeignSettings
    from geotools.maps.predict_outputs import Wanted

__all__ = ["PredictTask", "absolute", "describe_job", "stamps"]


@dataclass(frozen=True, slots=True)
class PredictTask:
    """A model on rasters; all of it plain values, so that it is pickled and hashed as it is."""

    models: tuple[str, ...]
    """Paths or names of the models whose mean is mapped; empty for what is only in memory."""
    sha256: str
    """Of the model, or of their list."""
    spec_sha256: str
    """Of what the model takes and gives, which of models of others the settings say."""
    runtime: str
    """Version of ONNX Runtime and the device: others have other last digits."""
    rasters: tuple[str, ...]
    """Absolute paths, in the order of the model's sources."""
    stamps: tuple[tuple[str, int, int], ...]
    """Path, size and time of change in nanoseconds of every file that is read."""
    reading: RasterOptions | DemOptions
    """How they are read; as an elevation model, or as the model's spec says."""
    foreign: ForeignSettings | None
    """What is to be known of a model that does not say it itself."""
    asked: Asked
    """What the map holds beside its classes."""
    tile: int
    """Cells on a side of a tile."""
    area: AreaOptions | None = None
    """Which cells are mapped; all when None. Its mask is among the stamps."""
    tta: bool = False
    """The model is asked from all sides."""
    device: str | SessionOptions = "auto"
    """Where it is to run."""

    def identity(self) -> Mapping[str, Any]:
        """See `geotools.engine.work.Task`; where the models lie does not matter."""
        body = asdict(self)
        del body["models"]
        return body

    @contextmanager
    def open(self) -> Iterator[Prediction]:
        """The prediction, ready.

        Raises:
            GeotoolsError: the model or a raster cannot be used, or is not what it was.
        """
        from geotools.maps.predict_order import open_models

        if not self.models:
            raise GeotoolsError(
                "A model that is only in memory cannot be sent to other processes: give its path."
            )
        model, _ = open_models(self.models, self.foreign, self.device)
        if model.sha256 != self.sha256 or stamps(path for path, _, _ in self.stamps) != self.stamps:
            raise GeotoolsError(
                f"{' or '.join(self.models)} or a raster has changed since the job was begun: "
                "begin it again."
            )
        with ExitStack() as stack:
            source, _ = open_input(
                model, self.rasters, (), self.reading, stack, self.tile + 2 * model.spec.halo
            )
            yield self.prediction(model, source)

    def prediction(self, model: Predictor, source: Source) -> Prediction:
        """The prediction of a model and a source that are open.

        Raises:
            GeotoolsError: the area has no cell, or the model cannot be asked from all sides.
        """
        from geotools.inference.augmented import augmented
        from geotools.inference.prediction import Prediction

        if self.tta:
            model = augmented(model, source.grid)
        area = place_area(self.area, source.grid, self.rasters[0])
        return Prediction(
            model, source, asked=self.asked, tile=self.tile,
            area=area if area is not None and area.is_masked else None,
            window=None if area is None else area.window,
        )  # fmt: skip


def describe_job(task: PredictTask, wanted: Wanted) -> dict[str, Any]:
    """What a job computes and writes, as JSON has it; `merge` reads it back."""
    from geotools.inference.sessions import session_options

    polygons = wanted.polygons
    body = asdict(wanted) | {"path": str(wanted.path.absolute())}
    del body["overwrite"]  # whoever writes the outputs says so anew
    body["files"] = {
        layer: None if path is None else str(Path(path).absolute())
        for layer, path in body["files"].items()
    }
    if polygons is not None:
        body["polygons"] = asdict(polygons) | {"path": str(Path(polygons.path).absolute())}
    return {
        "models": list(task.models),
        "rasters": list(task.rasters),
        "tile": task.tile,
        "tta": task.tta,
        "device": session_options(task.device).device,
        "area": asdict(task.area) if task.area is not None else None,
        "elevation" if isinstance(task.reading, DemOptions) else "bands": asdict(task.reading),
        "foreign": asdict(task.foreign) if task.foreign is not None else None,
        "wanted": body,
    }


def absolute(path: str | os.PathLike[str]) -> str:
    """The path of a file from any folder; other names, as of shipped models, as they are."""
    text = os.fspath(path)
    return os.path.abspath(text) if os.path.exists(text) else text


def stamps(paths: Any) -> tuple[tuple[str, int, int], ...]:
    """Absolute path, size and time of change of the files; those that are none are left out."""
    found = []
    for path in sorted({str(Path(path).absolute()) for path in paths}):
        try:
            status = Path(path).stat()
        except (OSError, ValueError):  # inside an archive, or GDAL's own name of something
            continue
        found.append((path, status.st_size, status.st_mtime_ns))
    return tuple(found)
