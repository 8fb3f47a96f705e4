"""What a prediction writes: its checks before anything is read, and the files under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.effort import Effort
from geotools.engine.mosaic import write_mosaic
from geotools.errors import FileError, ModelError, RasterError
from geotools.grid import Grid, Window
from geotools.io.parts import PartsSource
from geotools.io.writing import GeotiffWriter, create_geotiff
from geotools.maps.inputs import FilePath, check_paths
from geotools.maps.polygons import Polygons, check_polygons, write_polygons
from geotools.maps.shown import shown_range
from geotools.raster import Chosen, Layer, Sink, Source
from geotools.spec import ClassInfo
from geotools.stream import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.prediction import Asked
    from geotools.inference.predictor import Predictor

__all__ = ["LayerFiles", "Outputs", "Wanted", "check_wanted"]

_SAMPLE = 1009
"""Every so many values are looked at to choose what is drawn, fewer of large rasters."""

_MOST_KEPT = 2**20
"""Values that are kept of these."""


@dataclass(frozen=True, slots=True)
class LayerFiles:
    """GeoTIFFs of their own for what is told of every cell beside its class."""

    confidence: FilePath | None = None
    """The probability of the written class, in per cent."""
    entropy: FilePath | None = None
    """How even the probabilities are, instead of `OUTPUT_entropy.tif`."""
    probabilities: FilePath | None = None
    """The probability of every class, instead of `OUTPUT_probabilities.tif`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written, and where."""

    path: Path
    """The GeoTIFF of classes or values."""
    polygons: Polygons | None = None
    """Polygons of the classes."""
    confidence: bool = False
    """The probability of the written class, as band 2."""
    entropy: bool = False
    """How even the probabilities are, in a GeoTIFF of its own."""
    probabilities: str = ""
    """How the probability of every class is stored in a GeoTIFF of its own; empty for none."""
    cog: bool = False
    """Lay every GeoTIFF out as a cloud-optimised one."""
    overwrite: bool = False
    """Replace what is there."""
    word: str = "class"
    """Name of band 1 of a map of classes."""
    layer: str = "classes"
    """Name of the polygon layer."""
    files: LayerFiles = LayerFiles()
    """Where other layers are written, if not beside the first."""

    @property
    def beside(self) -> dict[str, Path]:
        """The GeoTIFFs of other layers than the first, by layer."""
        layers = {"entropy": self.entropy, "probabilities": bool(self.probabilities)}
        found = {
            layer: Path(
                getattr(self.files, layer) or self.path.with_name(f"{self.path.stem}_{layer}.tif")
            )
            for layer, wanted in layers.items()
            if wanted
        }
        if self.files.confidence is not None:
            found["confidence"] = Path(self.files.confidence)
        return found

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that is written, but for what belongs to a file."""
        polygons = () if self.polygons is None else (Path(self.polygons.path),)
        return (self.path, *self.beside.values(), *polygons)

    @property
    def asked(self) -> Asked:
        """What the model is asked for: polygons have the mean of the confidence."""
        from geotools.inference.prediction import Asked

        return Asked(
            confidence=self.confidence
            or self.files.confidence is not None
            or self.polygons is not None,
            entropy=self.entropy,
            probabilities=self.probabilities,
        )


def check_wanted(model: Predictor, rasters: Sequence[FilePath], wanted: Wanted) -> list[Path]:
    """All files that will be written; they may be, and are neither an input nor one another.

    Raises:
        ModelError: the model gives no classes, and something of classes is wanted.
        FileError: a path that cannot be written.
        RasterError: settings of polygons, or a type of probabilities, that make no sense.
    """
    from geotools.inference.prediction import PROBABILITY_TYPES

    kind = model.spec.outputs[0].kind
    of_classes = wanted.confidence or wanted.beside or wanted.polygons
    if kind != "probabilities" and of_classes:
        raise ModelError(
            f"The model {model.file} gives {kind}, not classes: leave --confidence, --entropy, "
            "--probabilities and --polygons out."
        )
    if wanted.probabilities and wanted.probabilities not in PROBABILITY_TYPES:
        raise RasterError(
            f"Probabilities cannot be stored as {wanted.probabilities!r}: use one of "
            f"{', '.join(PROBABILITY_TYPES)}."
        )
    paths = [wanted.path, *wanted.beside.values()]
    if wanted.polygons:
        shared = Path(wanted.polygons.path).absolute()
        if shared in [path.absolute() for path in wanted.beside.values()]:
            raise FileError(f"{shared} is named for raster and polygons: give two names.")
    for raster in rasters:
        check_paths(raster, paths, wanted.overwrite)
        if wanted.polygons:
            check_polygons(
                wanted.polygons, raster, wanted.path, wanted.overwrite, layer=wanted.layer
            )
    return list(wanted.paths)


class Outputs:
    """The files under way; they get their names when `stack` is left without an error."""

    def __init__(
        self,
        wanted: Wanted,
        classes: Sequence[ClassInfo],
        parts: Sequence[PartsSource],
        tags: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        """Creates them.

        Args:
            wanted: what to write.
            classes: of the map; none for values.
            parts: what a prediction gave: classes or values, then probabilities.
            tags: provenance.
            stack: closes them.

        Raises:
            FileError: the disk refuses.
        """
        self._wanted = wanted
        self.classes = tuple(classes)
        """The classes of the map; none for values."""
        by_name = {part.layer.name: part for part in parts}
        self._main = parts[0]
        layer = self._main.layer
        bands = list(layer.bands)
        options: dict[str, Any] = {"gray": (0.0, 1.0)}  # until the values are known
        if classes:
            bands = [wanted.word, *(["confidence"] if wanted.confidence else [])]
            options = {"classes": classes}
        self._writer: GeotiffWriter = stack.enter_context(
            create_geotiff(
                wanted.path,
                self._main.grid,
                bands=bands,
                units=layer.units[: len(bands)],
                dtype=layer.dtype,
                nodata=layer.nodata,
                tags=tags,
                cog=wanted.cog,
                overwrite=wanted.overwrite,
                **options,
            )
        )
        self._beside: list[tuple[Source, GeotiffWriter]] = []
        for name, path in wanted.beside.items():
            cells: Source
            if name == "confidence":  # it lies with the classes
                cells, layer = Chosen(self._main, [1]), _CONFIDENCE
            else:
                cells, layer = by_name[name], by_name[name].layer
            made = _beside(wanted, path, cells.grid, layer, tags)
            self._beside.append((cells, stack.enter_context(made)))

    @property
    def area_m2(self) -> dict[str, float]:
        """Area by class name."""
        area = self._writer.area_m2()
        return {info.name: area[info.code] for info in self.classes}

    def write(self, threads: int, progress: Progress | None) -> bool:
        """Writes the rasters; False when nothing is known anywhere.

        Raises:
            FileError: the disk refuses.
        """
        main = Chosen(self._main, range(len(self._writer.bands)))
        if self.classes:
            write_mosaic(main, self._writer, threads=threads, progress=progress)
        else:
            sample = _Sampled(self._writer)
            write_mosaic(main, sample, threads=threads, progress=progress)
            self._writer.gray = sample.range()
        if self._writer.is_empty:
            return False
        for parts, writer in self._beside:
            write_mosaic(parts, writer, threads=threads, progress=progress)
        return True

    def finish(self, tags: Mapping[str, str], effort: Effort, progress: Progress | None) -> None:
        """Completes the rasters, and writes the polygons.

        Raises:
            GeotoolsError: the disk refuses.
        """
        for writer in (self._writer, *(writer for _, writer in self._beside)):
            writer.tag(tags)
            writer.complete()
        if self._wanted.polygons is not None:
            forms, sure = Chosen(self._main, [0]), Chosen(self._main, [1])
            write_polygons(
                self._wanted.polygons, forms, sure, self.classes, tags, layer=self._wanted.layer,
                effort=effort, overwrite=self._wanted.overwrite, progress=progress,
            )  # fmt: skip


_CONFIDENCE = Layer("confidence", ("confidence",), "uint8", 0, ("%",))


def _beside(
    wanted: Wanted, path: Path, grid: Grid, layer: Layer, tags: Mapping[str, str]
) -> AbstractContextManager[GeotiffWriter]:
    """The GeoTIFF of a layer that is not the first."""
    highest = 100.0 if layer.units else 1.0 / layer.scale  # per cent, or a share
    return create_geotiff(
        path,
        grid,
        bands=layer.bands,
        units=layer.units,
        dtype=layer.dtype,
        nodata=layer.nodata,
        scale=layer.scale,
        bits=16 if layer.name == "probabilities" and wanted.probabilities == "float16" else None,
        gray=(0.0, highest),
        tags=tags,
        cog=wanted.cog,
        overwrite=wanted.overwrite,
    )


class _Sampled:
    """A `Sink` that remembers some of what passes, to know what should be drawn."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sample: list[NDArray[np.float32]] = []
        self._step, self._kept = _SAMPLE, 0

    def write(self, data: NDArray[Any], window: Window) -> None:
        """See `Sink`."""
        self._sink.write(data, window)
        self._sample.append(data[0].ravel()[:: self._step].copy())
        self._kept += self._sample[-1].size
        if self._kept > _MOST_KEPT:
            self._sample = [np.concatenate(self._sample)[::2].copy()]
            self._step, self._kept = 2 * self._step, self._sample[0].size

    def range(self) -> tuple[float, float]:
        """The values between which nearly all of band 1 lies: its 2nd and 98th percentile."""
        drawn = np.concatenate(self._sample) if self._sample else np.zeros(0, np.float32)
        return shown_range(drawn) or (0.0, 1.0)
