"""ForeignModel: somebody else's image model as a `Predictor`, by its metadata and the user's word.

Metadata in the dialect of Deepness is read; what it lacks, or all of it, can be given. Models that
find objects, sharpen images or recognise places give no map of cells and are refused.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geotools.errors import ModelError
from geotools.inference.deciding import decide
from geotools.inference.deepness import Keys, read_keys
from geotools.inference.filling import fill_nearest
from geotools.inference.layouts import Head, Layout, layout_of
from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ForeignModel", "ForeignSettings"]

_TILE = 512
"""Cells on a side of a block where neither graph nor metadata say."""

_OVERLAP_PERCENT = 15.0
"""Overlap of blocks where the metadata says nothing; Deepness's own default."""

_SLACK = 1e-3
"""How far beyond 0 and 1 rounding may carry a probability, float16 included."""

_MAPS = {"segmentor": "probabilities", "segmentation": "probabilities", "regressor": "values",
         "regression": "values"}  # fmt: skip
_NO_MAPS = {
    "detector": "finds objects",
    "superresolution": "sharpens images",
    "recognition": "recognises places",
}

_BACKGROUND = "#d9d9d9"


@dataclass(frozen=True, slots=True)
class ForeignSettings:
    """What a user says of a model whose file does not, or says it wrongly; None: as the file."""

    scale: float | None = None
    """Multiplies the values of the raster, before mean and standard deviation are taken off."""
    mean: tuple[float, ...] | None = None
    """Of every band, after scaling."""
    std: tuple[float, ...] | None = None
    """The same."""
    classes: tuple[tuple[int | None, str], ...] | None = None
    """Code and name of every class in the order of the channels; codes count from 1 when None."""
    values: bool = False
    """The output is values, not probabilities of classes."""
    activation: Literal["softmax", "sigmoid"] | None = None
    """Turns what the graph gives into probabilities."""
    head: int | None = None
    """Which of several outputs, from 1."""
    tile_size: int | None = None
    """Cells on a side of a block, for graphs that take any."""
    overlap_percent: float | None = None
    """Overlap of neighbouring blocks, per cent of a block."""
    resolution_cm: float | None = None
    """Centimetres per cell that the model was made for."""
    bands: int | None = None
    """Number of bands, for graphs that take any."""

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) != item.default for item in fields(self))


class ForeignModel:
    """Somebody else's model in memory; `run` may be called from several threads."""

    def __init__(
        self,
        file: str,
        sha256: str,
        session: Any,
        metadata: Mapping[str, str],
        settings: ForeignSettings,
    ) -> None:
        """Takes what the file says, and what the user says instead.

        Args:
            file: where it came from.
            sha256: of the file.
            session: of ONNX Runtime.
            metadata: of the file.
            settings: the user's word.

        Raises:
            ModelError: it gives no map of cells, or too little is known of it to make one.
        """
        self.file, self.sha256 = file, sha256
        self._session, self._settings = session, settings
        try:
            keys = read_keys(metadata)
            _check_type(keys)
            self._layout = layout_of(session.get_inputs(), session.get_outputs())
            self._head = self._choose_head()
            self.side = self._choose_side(keys)
            self._bands = self._count_bands(keys)
            self._is_values = settings.values or (
                _MAPS.get(_type(keys)) == "values" and not settings.classes
            )
            channels, inner = self._probe()
            _check_said(keys, settings, self._layout, self._is_values)
            self._single = channels == 1 and not self._is_values
            self._factor, self._shift = self._choose_scaling(keys)
            self._threshold = keys.threshold or 0.5
            self._floor = keys.threshold or 0.0
            self._multiplier = keys.scaling if self._is_values else 1.0
            classes = () if self._is_values else self._choose_classes(keys, channels)
            self.channels = channels if self._is_values else len(classes)
            margin = self._choose_margin(keys, inner)
        except ModelError as error:
            raise ModelError(f"The model {file} {error}.") from None
        self.notes = self._make_notes()
        centimetres = settings.resolution_cm or keys.resolution_cm
        self.says_resolution = centimetres is not None
        cell = (centimetres or 0) / 100
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
            cell_size_m=(cell / 2, cell * 2) if centimetres else (1e-9, 1e9),
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

    def _choose_head(self) -> Head:
        heads = self._layout.heads
        number = self._settings.head or 1
        if not 1 <= number <= len(heads):
            raise ModelError(f"has {len(heads)} outputs, not {number}: give --head 1 or another")
        head = heads[number - 1]
        if self._layout.is_vector(head.shape):
            raise ModelError(
                "gives one vector for each tile (recognition, embedding or a label), which is no "
                "map of cells: use a segmentation model"
            )
        if len(head.shape) > 4:
            raise ModelError("gives more than channels of rows and columns, which is no map")
        if not head.is_float:
            raise ModelError(
                f"gives whole numbers ({head.name}), not probabilities: export it without its "
                "ArgMax"
            )
        return head

    def _choose_side(self, keys: Keys) -> tuple[int, int]:
        """(rows, cols) of a block: the graph's, else what is said, else 512."""
        said = self._settings.tile_size
        fixed = (self._layout.rows, self._layout.cols)
        if said is not None and any(size not in (None, said) for size in fixed):
            raise ModelError(
                f"takes tiles of {fixed[0]} x {fixed[1]} cells and no others: leave --tile-size out"
            )
        side = said or keys.tile_size or _TILE
        if not 16 <= side <= 4096:
            raise ModelError(f"is to be run on tiles of {side} cells: give --tile-size 16 to 4096")
        return fixed[0] or side, fixed[1] or side

    def _count_bands(self, keys: Keys) -> int:
        said = [self._settings.bands, *(len(x) for x in (self._settings.mean, keys.mean) if x)]
        bands = self._layout.bands or next((count for count in said if count), None)
        if bands is None:
            raise ModelError("takes any number of bands: say which with --bands, such as 1,2,3")
        return bands

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
        if rows > self.side[0] or cols > self.side[1]:
            raise ModelError(
                f"gives {rows} x {cols} cells for {self.side[0]} x {self.side[1]}: it sharpens "
                "images (super-resolution), which is no map of cells"
            )
        if channels < 1 or rows < 16 or cols < 16 or channels > 254:
            raise ModelError(
                f"gives {channels} channels of {rows} x {cols} cells for a tile of "
                f"{self.side[0]} x {self.side[1]}, which is no map of its cells"
            )
        return channels, (rows, cols)

    def _choose_scaling(self, keys: Keys) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factor and shift of every band, (bands, 1, 1): what goes in is raster * factor - shift.

        The means and deviations of Deepness hold after a division by 255, whatever the dtype.
        """
        settings = self._settings
        scale = settings.scale
        if scale is None:
            scale = 1 / 255 if keys.any and self._layout.dtype is not np.uint8 else 1.0
        mean, std = settings.mean or keys.mean, settings.std or keys.std
        if (mean is None) != (std is None):
            raise ModelError("needs --mean and --std together, or neither")
        numbers = []
        for name, listed, neutral in (("mean", mean, 0.0), ("std", std, 1.0)):
            listed = listed or (neutral,)
            if len(listed) not in (1, self._bands) or not np.isfinite(listed).all():
                raise ModelError(
                    f"takes {self._bands} bands, its {name} has {len(listed)} numbers: give "
                    f"--{name} with one for each band"
                )
            numbers.append(np.broadcast_to(np.array(listed, np.float64), (self._bands,)))
        if (numbers[1] <= 0).any() or not (np.isfinite(scale) and scale != 0):
            raise ModelError("needs standard deviations above 0 and a scale that is not 0")
        factor, shift = scale / numbers[1], numbers[0] / numbers[1]
        return tuple(x.astype(np.float32)[:, None, None] for x in (factor, shift))  # type: ignore[return-value]

    def _choose_classes(self, keys: Keys, channels: int) -> tuple[ClassInfo, ...]:
        """The classes in the order of the channels; of one channel, what it is not comes first."""
        said: list[tuple[int | None, str]] = list(self._settings.classes or ())
        if not said and keys.classes:
            number = (self._settings.head or 1) - 1
            table = keys.classes[min(number, len(keys.classes) - 1)]
            said = [(None, name) for name in table.values()]
        needed = max(channels, 2)
        if channels == 1 and len(said) == 1:
            other = None if said[0][0] is None else 1 + (said[0][0] == 1)
            said.insert(0, (other, "background"))
        if len(said) != needed:
            more = " (or the one that it finds)" if channels == 1 else ""
            raise ModelError(
                f"tells {needed} classes apart{more}, {len(said)} are named: give --classes with "
                f"{needed} names, such as --classes water,forest"
            )
        codes = [number + 1 if code is None else code for number, (code, _) in enumerate(said)]
        if len(set(codes)) != len(codes):
            raise ModelError(f"is given the codes {codes}, one of them twice: give --classes again")
        return tuple(
            ClassInfo(code, name or f"class {code}", _color(number, name))
            for number, (code, (_, name)) in enumerate(zip(codes, said, strict=True))
        )

    def _choose_margin(self, keys: Keys, inner: tuple[int, int]) -> int:
        """Cells on each side of a block that are not written: half the overlap, or what is cut."""
        percent = self._settings.overlap_percent
        if percent is None:
            percent = _OVERLAP_PERCENT if keys.overlap_percent is None else keys.overlap_percent
        if not 0 <= percent < 90:
            raise ModelError(f"is to overlap its tiles by {percent:g} per cent: give 0 to 89")
        cut = max(-(-(side - size) // 2) for side, size in zip(self.side, inner, strict=True))
        return max(round(min(self.side) * percent / 200), cut)

    def _make_notes(self) -> tuple[str, ...]:
        heads = self._layout.heads
        if len(heads) < 2 or self._settings.head is not None:
            return ()
        names = ", ".join(head.name for head in heads)
        return (
            f"The model {self.file} has {len(heads)} outputs ({names}), the first is mapped: "
            "choose another with --head.",
        )

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


def _type(keys: Keys) -> str:
    return (keys.model_type or "").lower()


def _check_type(keys: Keys) -> None:
    """Refuses what gives no map; a type that is not known is told by its shapes."""
    what = _NO_MAPS.get(_type(keys).replace("-", "").replace("_", "").replace(" ", ""))
    if what:
        raise ModelError(
            f"{what} (model_type {keys.model_type}), which is no map of cells: use a segmentation "
            "or regression model"
        )


def _check_said(keys: Keys, settings: ForeignSettings, layout: Layout, is_values: bool) -> None:
    """Refuses a model of which nothing is known."""
    lacking = []
    if not keys.any and settings.scale is None and layout.dtype is not np.uint8:
        lacking.append("what its values are multiplied by (--scale 1/255, or --scale 1)")
    if not is_values and not keys.classes and not settings.classes:
        lacking.append("its classes (--classes water,forest) or that it gives values (--values)")
    if lacking:
        raise ModelError(f"does not say enough of itself: give {' and '.join(lacking)}")


def _color(number: int, name: str) -> str:
    """A colour for the class of this number from 0: hues a golden angle apart."""
    if number == 0 and name.lower().strip("_ ") in ("background", "other", "none", "nothing"):
        return _BACKGROUND
    red, green, blue = colorsys.hsv_to_rgb((0.58 + number * 0.618034) % 1, 0.65, 0.85)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _listed(numbers: NDArray[np.float32]) -> str:
    return " ".join(f"{value:.6g}" for value in numbers.ravel())
