"""quantize_for: the variant of a model in int8 or float16, proven on the user's rasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, RasterError
from geotools.grid import Grid, Window
from geotools.inference.model import Model, read_content
from geotools.inference.predict import predict_window
from geotools.maps.export import Export, check_target, model_file
from geotools.maps.inputs import FilePath
from geotools.maps.predict_inputs import RasterOptions, open_input, rasters_needed
from geotools.raster import Source
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["quantize_for"]

_SIDES = (256, 128, 64, 32)
"""Cells on a side of the windows that are looked at: the largest that leave two of them."""

_ACROSS = 4
"""Windows along each axis of a raster, at most."""

_LEAST_VALID = 0.5
"""Share of valid cells in a window that counts."""


def quantize_for(
    model: FilePath,
    output: FilePath,
    rasters: Sequence[FilePath],
    *,
    kind: str = "int8",
    floor: float | None = None,
    reading: RasterOptions | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Export:
    """Writes a model with its inner layers in fewer bits.

    Windows spread over the rasters are read as for a map. On half of them ranges are measured; on
    the others, which share no cell with these, the variant is compared with the model.

    Args:
        model: an `.onnx` file that geotools wrote, the folder of a training, or the name of a
            shipped model.
        output: the `.onnx` file to write.
        rasters: as the model takes them; several times as many are several scenes.
        kind: `int8` or `fp16`.
        floor: share of the cells that must keep their class; 0.99 when None.
        reading: how to read the rasters.
        overwrite: replace the file when it exists.
        progress: called after every window.
        warn: called with a sentence when bands deserve a look.

    Raises:
        GeotoolsError: the model cannot be read or has nothing to narrow, the rasters are not what
            it takes, or too few cells keep their class; nothing is written then.
    """
    if kind not in ("int8", "fp16"):
        raise ConfigError(f"There are no layers in {kind!r}: give int8 or fp16.")
    path = model_file(model)
    written = check_target(path, output, overwrite)
    from geotools.training.export.quantize import FLOOR, check_layers, quantize_model

    floor = FLOOR if floor is None else floor
    if not 0 <= floor <= 1:
        raise ConfigError(f"A floor of {floor:g} cannot be: give a share from 0 to 1, such as .99.")
    content = read_content(path)
    recorder = _Recorder(str(path), content)
    check_layers(content, recorder.spec.name)
    reading = reading or RasterOptions()
    ranges: list[Mapping[str, NDArray[Any]]] = []
    proof: list[Mapping[str, NDArray[Any]]] = []
    scenes = _scenes(rasters, len(rasters_needed(recorder.spec)))
    for number, scene in enumerate(scenes):
        with ExitStack() as stack:
            source, _ = open_input(
                recorder, scene, [written], reading, stack, _SIDES[0] + 2 * recorder.spec.halo,
                warn=warn,
            )  # fmt: skip
            for window, is_proof in _windows(source, recorder):
                (proof if is_proof else ranges).extend(recorder.record(source, window))
        if progress is not None:
            progress(Step("reading", number + 1, len(scenes)))
    names = ", ".join(Path(raster).name for raster in rasters)
    if not ranges or not proof:
        raise RasterError(
            f"{names} hold fewer than two windows of {_SIDES[-1]} x {_SIDES[-1]} valid cells that "
            f"lie {2 * recorder.spec.halo} cells apart, one to measure on and one to compare on: "
            "give a larger raster."
        )
    spec = quantize_model(
        content, recorder.spec, written, "int8" if kind == "int8" else "fp16",
        calibration=ranges, held_out=proof, floor=floor, on=names,
    )  # fmt: skip
    record = spec.parity["quantization"]
    return Export(
        written,
        record,
        f"{written}: {recorder.spec.name} in {kind}, {record['agreement']:.2%} of "
        f"{record['cells']:,} cells as before, {record['speed']:.2f} × as fast, "
        f"{written.stat().st_size / 1e6:.2f} MB instead of {len(content) / 1e6:.2f}",
    )


class _Recorder(Model):
    """A model that keeps what prediction feeds it."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(name, content)
        self._seen: list[Mapping[str, NDArray[Any]]] = []

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """As the model, which see."""
        self._seen.append({name: np.array(array) for name, array in inputs.items()})
        return super().run(inputs)

    def record(self, source: Source, window: Window) -> list[Mapping[str, NDArray[Any]]]:
        """The inputs of every call for the map of a window."""
        self._seen = []
        predict_window(self, source, window)
        return self._seen


def _scenes(rasters: Sequence[FilePath], needed: int) -> list[list[FilePath]]:
    """The rasters, as many at a time as the model takes; all at once where they do not add up."""
    if not needed or len(rasters) % needed:
        return [list(rasters)]
    return [list(rasters[first : first + needed]) for first in range(0, len(rasters), needed)]


def _windows(source: Source, model: Model) -> Iterator[tuple[Window, bool]]:
    """Windows whose surroundings do not overlap, and whether they are for the proof."""
    spec = model.spec
    reach = spec.halo + spec.stride_multiple + max(model.side or (0,))
    for side in _SIDES:
        apart = side + 2 * reach
        found = [
            (window, which)
            for window, which in _spread(source.grid, side, apart)
            if source.read(window).valid.mean() >= _LEAST_VALID
        ]
        if len({which for _, which in found}) == 2:
            yield from found
            return


def _spread(grid: Grid, side: int, apart: int) -> Iterator[tuple[Window, bool]]:
    """Windows as on a chessboard, spread evenly over the grid."""
    rows, cols = (
        [
            (length - side) * k // max(count - 1, 1)
            for count in [min((length - side) // apart + 1, _ACROSS)]
            for k in range(count)
        ]
        if length >= side
        else []
        for length in grid.shape
    )
    for i, row in enumerate(rows):
        for j, col in enumerate(cols):
            yield Window(col, row, side, side), (i + j) % 2 == 1
