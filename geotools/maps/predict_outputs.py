"""What a prediction writes: its checks before anything is read, and the files under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import Effort
from geotools.errors import ModelError
from geotools.grid import Grid, Window
from geotools.io.writing import GeotiffWriter, create_geotiff, create_scratch
from geotools.maps.inputs import FilePath, check_paths
from geotools.maps.polygons import Apart, Polygons, check_polygons, write_polygons
from geotools.raster import Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["Outputs", "Wanted", "check_wanted"]

_LAYER = "classes"
"""Name of the polygon layer."""

_SAMPLE = 1009
"""Every so many values are looked at to choose what is drawn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written, and where."""

    path: Path
    """The GeoTIFF of classes or values."""
    polygons: Polygons | None = None
    """Polygons of the classes."""
    probabilities: bool = False
    """The probability of every class, in a GeoTIFF of its own."""
    confidence: bool = False
    """The probability of the written class, as band 2."""
    overwrite: bool = False
    """Replace what is there."""

    @property
    def probabilities_path(self) -> Path:
        """The GeoTIFF of the probabilities, beside the other."""
        return self.path.with_name(f"{self.path.stem}_probabilities.tif")


def check_wanted(model: Predictor, rasters: Sequence[FilePath], wanted: Wanted) -> list[Path]:
    """All files that will be written; they may be, and are neither an input nor one another.

    Raises:
        ModelError: the model gives no classes, and something of classes is wanted.
        FileError: a path that cannot be written.
        RasterError: settings of polygons that make no sense.
    """
    kind = model.spec.outputs[0].kind
    if kind != "probabilities" and (wanted.confidence or wanted.probabilities or wanted.polygons):
        raise ModelError(
            f"The model {model.file} gives {kind}, not classes: leave --confidence, "
            "--probabilities and --polygons out."
        )
    paths = [wanted.path, *([wanted.probabilities_path] if wanted.probabilities else [])]
    for raster in rasters:
        check_paths(raster, paths, wanted.overwrite)
        if wanted.polygons:
            check_polygons(wanted.polygons, raster, wanted.path, wanted.overwrite, layer=_LAYER)
    return [*paths, *([Path(wanted.polygons.path)] if wanted.polygons else [])]


class Outputs:
    """The files under way; they get their names when `stack` is left without an error."""

    def __init__(
        self,
        model: Predictor,
        wanted: Wanted,
        grid: Grid,
        tags: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        """Creates them.

        Args:
            model: whose output they are to hold.
            wanted: what to write.
            grid: where the cells are.
            tags: provenance.
            stack: closes them.

        Raises:
            FileError: the disk refuses.
        """
        self._wanted = wanted
        output = model.spec.outputs[0]
        self.classes: tuple[ClassInfo, ...] = output.classes
        """The classes of the map; none for values."""
        self.confidence = wanted.confidence or wanted.polygons is not None
        """Whether `sink` takes the confidence as band 2."""
        create = _class_writer if output.kind == "probabilities" else _value_writer
        self._writer: GeotiffWriter = stack.enter_context(create(model, wanted, grid, tags))
        self._sample: _Sampled | None = None
        self._sure: GeotiffWriter | None = None
        self.sink: Sink = self._writer
        """Takes what `predict` gives."""
        if output.kind != "probabilities":
            self.sink = self._sample = _Sampled(self._writer)
        elif self.confidence and not wanted.confidence:
            self._sure = stack.enter_context(
                create_scratch(wanted.path, grid, bands=["confidence"], dtype="uint8", nodata=0)
            )
            self.sink = Apart(self._writer, self._sure)
        self.probabilities: GeotiffWriter | None = None
        """Takes the probability of every class."""
        if wanted.probabilities:
            self.probabilities = stack.enter_context(
                create_geotiff(
                    wanted.probabilities_path,
                    grid,
                    bands=[info.name for info in self.classes],
                    dtype="float32",
                    nodata=float("nan"),
                    gray=(0.0, 1.0),
                    tags=tags,
                    overwrite=wanted.overwrite,
                )
            )

    @property
    def is_empty(self) -> bool:
        """True while nothing has been written."""
        return self._writer.is_empty

    @property
    def area_m2(self) -> dict[str, float]:
        """Area by class name."""
        area = self._writer.area_m2()
        return {info.name: area[info.code] for info in self.classes}

    def finish(self, tags: Mapping[str, str], effort: Effort, progress: Progress | None) -> None:
        """Completes the rasters, and writes the polygons from them.

        Raises:
            GeotoolsError: the disk refuses.
        """
        if self._sample is not None:
            self._writer.gray = self._sample.range()
        for writer in (self._writer, self.probabilities):
            if writer is not None:
                writer.tag(tags)
                writer.complete()
        if self._wanted.polygons is not None:
            write_polygons(
                self._wanted.polygons, self._writer, self._sure, self.classes, tags, layer=_LAYER,
                confidence=True, effort=effort, overwrite=self._wanted.overwrite,
                progress=progress,
            )  # fmt: skip


def _class_writer(model: Predictor, wanted: Wanted, grid: Grid, tags: Mapping[str, str]) -> Any:
    return create_geotiff(
        wanted.path,
        grid,
        bands=["class", "confidence"] if wanted.confidence else ["class"],
        units=["", "%"] if wanted.confidence else [""],
        dtype="uint8",
        nodata=0,
        classes=model.spec.outputs[0].classes,
        tags=tags,
        overwrite=wanted.overwrite,
    )


def _value_writer(model: Predictor, wanted: Wanted, grid: Grid, tags: Mapping[str, str]) -> Any:
    output, count = model.spec.outputs[0], model.channels
    names = [output.name] if count == 1 else [f"{output.name} {n + 1}" for n in range(count)]
    return create_geotiff(
        wanted.path,
        grid,
        bands=names,
        units=[output.unit] * count,
        dtype="float32",
        nodata=float("nan"),
        gray=(0.0, 1.0),  # until the values are known
        tags=tags,
        overwrite=wanted.overwrite,
    )


class _Sampled:
    """A `Sink` that remembers some of what passes, to know what should be drawn."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sample: list[NDArray[np.float32]] = []

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self._sink.write(data, window)
        self._sample.append(data[0].ravel()[::_SAMPLE].copy())

    def range(self) -> tuple[float, float]:
        """The values between which nearly all of band 1 lies: its 2nd and 98th percentile."""
        drawn = np.concatenate(self._sample)
        drawn = drawn[np.isfinite(drawn)]
        if not drawn.size:
            return 0.0, 1.0
        low, high = np.percentile(drawn, [2, 98])
        return float(low), float(high)
