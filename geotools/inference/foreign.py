"""ForeignModel: somebody else's image model as a `Predictor`, by its metadata and the user's word.

Metadata in the dialect of Deepness is read; what it lacks, or all of it, can be given. Models that
find objects give no map of cells and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.inference.block_statistics import block_statistics
from geotools.inference.deciding import decide
from geotools.inference.deepness import Keys, read_keys
from geotools.inference.filling import fill_nearest, fill_with
from geotools.inference.footprint import footprint_of
from geotools.inference.foreign_notes import Facts, foreign_notes, seams
from geotools.inference.layouts import layout_of
from geotools.inference.limits import RunLimit
from geotools.inference.probing import Measured, measure
from geotools.inference.sessions import Session
from geotools.inference.standardising import standardise_tile
from geotools.inference.terms import (
    ForeignSettings,
    check_channels,
    check_said,
    check_type,
    choose_cell,
    choose_classes,
    choose_fill,
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

    def __init__(
        self,
        file: str,
        sha256: str,
        session: Session,
        metadata: Mapping[str, str],
        settings: ForeignSettings,
        *,
        content: bytes,
    ) -> None:
        """Takes what the file says, and what the user says instead; runs it to see the rest.

        Args:
            file: where it came from.
            sha256: of the file.
            session: of its graph.
            metadata: of the file.
            settings: the user's word.
            content: of the file, in whose graph is looked for what makes seams.

        Raises:
            ModelError: it gives no map of cells, or too little is known of it to make one.
        """
        self.file, self.sha256 = file, sha256
        self._session, self._settings = session, settings
        self.device: str = session.device
        try:
            self._limit = RunLimit(settings.run_limit_s)
            keys = read_keys(metadata)
            check_type(keys)
            self._layout = layout_of(session.get_inputs(), session.get_outputs())
            self._head = choose_head(self._layout, settings)
            statistics = block_statistics(content, last=self._layout.last)
            self.side = choose_side(self._layout, keys, settings)
            self._bands = count_bands(self._layout, keys, settings)
            self._is_values = gives_values(keys, settings)
            channels, inner = self._sizes()
            footprint = footprint_of(self.side, inner)
            check_channels(channels, is_values=self._is_values)
            check_said(keys, settings, self._layout, self._is_values)
            self._labels = self._head.is_whole and not self._is_values
            if self._labels and channels != 1:
                raise ModelError(
                    f"gives whole numbers in {channels} channels, which are neither classes nor "
                    "their probabilities: give --values, or export it with probabilities"
                )
            self._single = channels == 1 and not self._is_values and not self._labels
            self._factor, self._shift = choose_scaling(self._layout, self._bands, keys, settings)
            self._fill = choose_fill(self._factor, self._shift, settings)
            self._threshold = keys.threshold or 0.5
            self._floor = keys.threshold or 0.0
            self._multiplier = keys.scaling if self._is_values else 1.0
            classes = (
                ()
                if self._is_values
                else choose_classes(keys, settings, None if self._labels else channels)
            )
            self.channels = channels if self._is_values else len(classes)
            measured = measure(
                self._planes,
                footprint,
                bands=self._bands,
                batch=self._layout.batch,
                whole_numbers=self._layout.takes_whole,
                margin_of=lambda found: choose_margin(found, keys, settings),
                has_statistics=bool(statistics) or settings.standardize is not None,
            )
            self.cell_m = choose_cell(keys, settings)
            """Cell size that it was made for, in metres."""
        except ModelError as error:
            raise ModelError(f"The model {file} {error}.") from None
        self._footprint = measured.footprint
        self.finer = measured.footprint.finer
        """Output cells along a side of an input cell."""
        self.coarser = measured.footprint.coarser
        """Input cells along a side of an output cell."""
        facts = Facts(
            file, self._layout, keys, settings, measured, statistics,
            is_values=self._is_values, is_labels=self._labels,
        )  # fmt: skip
        self.notes = (*session.notes, *foreign_notes(facts))
        self.spec = ModelSpec(
            name=Path(file).stem,
            version="",
            task=self._task(),
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
            halo=measured.scheme.margin,
            parameters=self._parameters(measured, keys),
        )

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """(1, classes or values, rows, cols) for one block; NaN where the graph gives no cell.

        Rows and columns are those of the block, `finer` times as many, or one for `coarser`.

        Args:
            inputs: `raster`, (1, bands, rows, cols) float32, NaN where invalid.

        Raises:
            ModelError: ONNX Runtime refuses, or the numbers are no probabilities; it takes too
                long.
        """
        block = inputs["raster"][0]
        try:
            if self._settings.standardize is not None:
                block = standardise_tile(block)
            fill = self._fill
            filled = fill_nearest(block) if fill is None else fill_with(block, fill)
            planes = self._planes(
                (filled * self._factor - self._shift).astype(np.float32, copy=False)
            )
            if self._is_values:
                planes = planes * np.float32(self._multiplier)
            elif self._labels:
                planes = self._shares(planes)
            else:
                planes = self._probabilities(planes)
            rows, cols = block.shape[1:]
            return [self._footprint.place(planes, (rows, cols))[None]]
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

    def release(self) -> None:
        """See `Predictor`."""
        self._session.release()

    def _planes(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """(channels, rows, cols) as the graph gives them for (bands, rows, cols) as it takes."""
        fed = {self._layout.name: self._layout.feed(block)}
        try:
            given = self._limit.run(self._session, [self._head.name], fed)[0]
        except ModelError:
            raise
        except Exception as error:  # ONNX Runtime's errors share no public base class
            line = str(error).splitlines()[0][:200]
            raise ModelError(
                f"could not run ({line}): is the raster what it was made for?"
            ) from None
        return self._layout.planes(given)

    def _sizes(self) -> tuple[int, tuple[int, int]]:
        """(channels, (rows, cols)) of the map of one block, by trying where the graph is silent."""
        sizes = self._layout.map_shape(self._head)
        if None in sizes:
            sizes = self._planes(np.zeros((self._bands, *self.side), np.float32)).shape
        channels, rows, cols = (int(size or 0) for size in sizes)
        return channels, (rows, cols)

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

    def _shares(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(classes, rows, cols): 1 for the class whose number the graph gives, 0 for others."""
        low, high = planes.min(), planes.max()
        if low < 0 or high >= self.channels:
            raise ModelError(
                f"gives the classes {low:g} to {high:g}, and {self.channels} are named, from 0: "
                "give --classes with all of them"
            )
        numbers = np.arange(self.channels, dtype=np.float32)[:, None, None]
        return np.asarray(planes == numbers, np.float32)

    def _task(self) -> str:
        """A word of the STAC machine learning model extension."""
        if self._footprint.is_tile:
            return "similarity-search" if self._is_values else "scene-classification"
        if not self._is_values:
            return "semantic-segmentation"
        return "super-resolution" if self.finer > 1 else "regression"

    def _parameters(self, measured: Measured, keys: Keys) -> dict[str, Any]:
        """How it is run, for the map's metadata."""
        rows, cols = self.side
        found: dict[str, Any] = {
            "output": self._head.name,
            "tile": f"{rows} x {cols}",
            "margin": measured.scheme.margin,
            "seams": seams(measured),
            "factor": _listed(self._factor),
            "shift": _listed(self._shift),
            "fill": self._settings.fill or "nearest",
        }
        if self.finer > 1:
            found["finer"] = self.finer
        if self.coarser > 1:
            found["coarser"] = self.coarser
        if measured.footprint.missing != (0, 0):
            found["crop"] = " ".join(str(cells) for cells in measured.footprint.offset)
        if self._settings.standardize:
            found["standardize"] = self._settings.standardize
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
