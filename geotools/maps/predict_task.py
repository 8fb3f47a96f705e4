"""PredictTask: a prediction in a form that other processes can be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import GeotoolsError
from geotools.maps.inputs import DemOptions
from geotools.maps.predict_inputs import RasterOptions, open_input
from geotools.raster import Source

if TYPE_CHECKING:
    from geotools.inference.prediction import Asked, Prediction
    from geotools.inference.predictor import Predictor
    from geotools.inference.terms import ForeignSettings

__all__ = ["PredictTask", "stamps"]


@dataclass(frozen=True, slots=True)
class PredictTask:
    """A model on rasters; all of it plain values, so that it is pickled and hashed as it is."""

    model: str
    """Path or name of the model; empty for one that is only in memory."""
    sha256: str
    """Of the model."""
    rasters: tuple[str, ...]
    """Paths, in the order of the model's sources."""
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

    def identity(self) -> Mapping[str, Any]:
        """See `geotools.engine.work.Task`; where the model lies does not matter."""
        body = asdict(self)
        del body["model"]
        return body

    @contextmanager
    def open(self) -> Iterator[Prediction]:
        """The prediction, ready.

        Raises:
            GeotoolsError: the model or a raster cannot be used, or is not what it was.
        """
        from geotools.inference.opening import open_any

        if not self.model:
            raise GeotoolsError(
                "A model that is only in memory cannot be sent to other processes: give its path."
            )
        model = open_any(self.model, self.foreign)
        if model.sha256 != self.sha256 or stamps(path for path, _, _ in self.stamps) != self.stamps:
            raise GeotoolsError(
                f"{self.model} or a raster has changed since the job was begun: begin it again."
            )
        with ExitStack() as stack:
            source, _ = open_input(
                model, self.rasters, (), self.reading, stack, self.tile + 2 * model.spec.halo
            )
            yield self.prediction(model, source)

    def prediction(self, model: Predictor, source: Source) -> Prediction:
        """The prediction of a model and a source that are open."""
        from geotools.inference.prediction import Prediction

        return Prediction(model, source, asked=self.asked, tile=self.tile)


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
