"""ForeignModel: somebody else's image model as a `Predictor`, by its metadata and the user's word.

Metadata in the dialect of Deepness is read; what it lacks, or all of it, can be given. Models that
find objects, sharpen images or recognise places give no map of cells and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.inference.deciding import decide
from geotools.inference.deepness import Keys, read_keys
from geotools.inference.filling import fill_nearest
from geotools.inference.layouts import layout_of
from geotools.inference.sessions import Session
from geotools.inference.terms import (
    ForeignSettings,
    check_said,
    check_type,
    choose_cell,
    choose_classes,
    choose_head,
    choose_margin,
    choose_scaling,
    choose_side,
    count_bands,
    gives_values,
)
from geotools.spec import InputInfo, ModelSpec, OutputInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ForeignModel", "ForeignSettings"]

_SLACK = 1e-3
"""How far beyond 0 and 1 rounding may carry a probability, float16 included."""


class ForeignModel:
    """Somebody else's model in memory; `run` may be called from several threads."""

    finer: int = 1
    """Output cells along a side of an input cell."""

    coarser: int = 1
    """Input cells along a side of an output cell."""

    def __init__(
        self,
        file: str,
        sha256: str,
        session: Session,
        metadata: Mapping[str, str],
        settings: ForeignSettings,
    ) -> None:
        """Takes what the file says, and what the user says instead.

        Args:
            file: where it came from.
            sha256: of the file.
            session: of its graph.
            metadata: of the file.
            settings: the user's word.

        Raises:
            ModelError: it gives no map of cells, or too little is known of it to make one.
        """
        self.file, self.sha256 = file, sha256
        self._session, self._settings = session, settings
        self.device: str = session.device
        try:
            keys = read_keys(metadata)
            check_type(keys)
            self._layout = layout_of(session.get_inputs(), session.get_outputs())
            self._head = choose_head(self._layout, settings)
            self.side = choose_side(self._layout, keys, settings)
            self._bands = count_bands(self._layout, keys, settings)
            self._is_values = gives_values(keys, settings)
            channels, inner = self._probe()
            check_said(keys, settings, self._layout, self._is_values)
            self._single = channels == 1 and not self._is_values
            self._factor, self._shift = choose_scaling(self._layout, self._bands, keys, settings)
            self._threshold = keys.threshold or 0.5
            self._floor = keys.threshold or 0.0
            self._multiplier = keys.scaling if self._is_values else 1.0
            classes = () if self._is_values else choose_classes(keys, settings, channels)
            self.channels = channels if self._is_values else len(classes)
            margin = choose_margin(self.side, inner, keys, settings)
            self.cell_m = choose_cell(keys, settings)
            """Cell size that it was made for, in metres."""
        except ModelError as error:
            raise ModelError(f"The model {file} {error}.") from None
        self.notes = (*session.notes, *self._make_notes(keys))
        self.spec = ModelSpec(
            name=Path(file).stem,
            version="",
            task="regression" if self._is_values else "semantic-segmentation",
            description="",
            inputs=(
                InputInfo("raster", "raster", tuple(f"band {n + 1}" for n in range(self._bands))),
            ),
            outputs=(
                OutputInfo(
                    self._head.name, "values" if self._is_values else "probabilities", classes
                ),
            ),
            cell_size_m=(self.cell_m / 2, self.cell_m * 2) if self.cell_m else (1e-9, 1e9),
            tile=max(self.side),
            halo=margin,
            parameters=self._parameters(margin, keys),
        )

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """(1, classes or values, rows, cols) for one block; NaN where the graph gives no cell.

        Args:
            inputs: `raster`, (1, bands, rows, cols) float32, NaN where invalid.

        Raises:
            ModelError: ONNX Runtime refuses, or the numbers are no probabilities.
        """
        filled = fill_nearest(inputs["raster"][0])
        block = (filled * self._factor - self._shift).astype(np.float32, copy=False)
        try:
            fed = {self._layout.name: self._layout.feed(block)}
            planes = self._layout.planes(self._call(fed))
            planes = self._place(planes, block.shape[1:])
            if self._is_values:
                return [planes[None] * np.float32(self._multiplier)]
            return [self._probabilities(planes)[None]]
        except ModelError as error:
            raise ModelError(f"The model {self.file} {error}.") from None

    def decide(
        self, probabilities: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The class and its probability; the first class where no other reaches the threshold."""
        if self._single:
            found = probabilities[1] >= self._threshold
            highest = np.where(found, probabilities[1], probabilities[0])
            return found.astype(np.uint8), highest.astype(np.float32)
        index, most = decide(probabilities)
        unsure = most < self._floor
        index[unsure] = 0
        most[unsure] = probabilities[0][unsure]
        return index, most

    def _call(self, fed: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        try:
            given: NDArray[Any] = self._session.run([self._head.name], dict(fed))[0]
        except Exception as error:  # ONNX Runtime's errors share no public base class
            line = str(error).splitlines()[0][:200]
            raise ModelError(
                f"could not run ({line}): is the raster what it was made for?"
            ) from None
        return given

    def _place(self, planes: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The planes in the middle of a block, which they may be smaller than."""
        rows, cols = planes.shape[1:]
        if (rows, cols) == shape:
            return planes
        if rows > shape[0] or cols > shape[1]:
            raise ModelError(
                f"gives {rows} x {cols} cells for {shape[0]} x {shape[1]}: it sharpens images, "
                "which is no map of cells"
            )
        placed = np.full((len(planes), *shape), np.nan, np.float32)
        row, col = (shape[0] - rows) // 2, (shape[1] - cols) // 2
        placed[:, row : row + rows, col : col + cols] = planes
        return placed

    def _probabilities(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(classes, rows, cols); of one plane, that of the first class too."""
        if self._settings.activation == "sigmoid":
            planes = np.asarray(1 / (1 + np.exp(-np.clip(planes, -80, 80))), np.float32)
        elif self._settings.activation == "softmax":
            planes = np.exp(planes - planes.max(axis=0))
            planes /= planes.sum(axis=0)
        else:
            known = planes[~np.isnan(planes)]
            if known.size and (known.min() < -_SLACK or known.max() > 1 + _SLACK):
                raise ModelError(
                    f"gives numbers from {known.min():.4g} to {known.max():.4g}, which are no "
                    "probabilities: give --activation softmax or sigmoid, or --values if it is no "
                    "classifier"
                )
            planes = np.clip(planes, 0, 1)
        return np.concatenate([1 - planes, planes]) if self._single else planes

    def _probe(self) -> tuple[int, tuple[int, int]]:
        """(channels, (rows, cols)) of the map of one block, by trying where the graph is silent."""
        shape, layout = self._head.shape, self._layout
        sizes = (*shape[-3:],) if len(shape) >= 3 else (1, *shape)
        if len(shape) == 4 and layout.last:
            sizes = (shape[3], shape[1], shape[2])
        elif len(shape) == 3 and (shape[0] is None or shape[0] == layout.batch):
            sizes = (1, *shape[1:])
        if None in sizes:
            block = np.zeros((self._bands, *self.side), np.float32)
            sizes = layout.planes(self._call({layout.name: layout.feed(block)})).shape
        channels, rows, cols = (int(size or 0) for size in sizes)
        larger = rows > self.side[0], cols > self.side[1]
        if all(larger):
            raise ModelError(
                f"gives {rows} x {cols} cells for {self.side[0]} x {self.side[1]}: it sharpens "
                "images (super-resolution), which is no map of cells"
            )
        if any(larger):
            raise ModelError(
                f"gives {rows} x {cols} numbers for {self.side[0]} x {self.side[1]} cells, such as "
                "the boxes of a detector, which is no map of cells: use a segmentation model"
            )
        if 2 * rows <= self.side[0] or 2 * cols <= self.side[1]:
            raise ModelError(
                f"gives {rows} x {cols} cells for {self.side[0]} x {self.side[1]}, a coarser map "
                "or none of its cells: export it with a map as fine as its image"
            )
        if channels < 1 or rows < 16 or cols < 16 or channels > 254:
            raise ModelError(
                f"gives {channels} channels of {rows} x {cols} cells for a tile of "
                f"{self.side[0]} x {self.side[1]}, which is no map of its cells"
            )
        return channels, (rows, cols)

    def _make_notes(self, keys: Keys) -> tuple[str, ...]:
        notes = []
        heads = self._layout.heads
        if len(heads) > 1 and self._settings.head is None:
            names = ", ".join(head.name for head in heads)
            notes.append(
                f"The model {self.file} has {len(heads)} outputs ({names}), the first is mapped: "
                "choose another with --head."
            )
        if keys.median > 1 and not self._is_values:
            notes.append(
                f"The model {self.file} asks for a median of {keys.median} cells over its classes, "
                "which is not taken: --min-area merges small polygons."
            )
        return tuple(notes)

    def _parameters(self, margin: int, keys: Keys) -> dict[str, Any]:
        """How it is run, for the map's metadata."""
        rows, cols = self.side
        found: dict[str, Any] = {
            "output": self._head.name,
            "tile": f"{rows} x {cols}",
            "margin": margin,
            "factor": _listed(self._factor),
            "shift": _listed(self._shift),
            "fill": "nearest",
        }
        if self._settings.activation:
            found["activation"] = self._settings.activation
        if self._single:
            found["threshold"] = self._threshold
        elif keys.threshold and not self._is_values:
            found["threshold"] = self._floor
        if self._multiplier != 1:
            found["output_scaling"] = self._multiplier
        return found


def _listed(numbers: NDArray[np.float32]) -> str:
    return " ".join(f"{value:.6g}" for value in numbers.ravel())
