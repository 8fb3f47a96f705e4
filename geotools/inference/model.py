"""Model: an `.onnx` file with its spec, ready to run on arrays.

The only place that reads `.onnx` files; they are untrusted, so the graph is checked before ONNX
Runtime sees it, and it is loaded from memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, ModelError
from geotools.inference.deciding import decide
from geotools.inference.gate import check_graph
from geotools.inference.sessions import SessionOptions, make_session
from geotools.spec import METADATA_KEY, ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Model", "identify", "open_model", "read_content", "shipped_model", "shipped_models"]

_MAX_BYTES = 2 * 2**30

_MAX_HALO, _MAX_SIDE = 4096, 8192
"""Cells; a block with more would hold gigabytes."""


def open_model(path: str | os.PathLike[str], *, options: SessionOptions | None = None) -> Model:
    """The model in an `.onnx` file that carries a ModelSpec.

    Args:
        path: the file.
        options: where and how it runs.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: not an ONNX model, not a safe one, or without a spec that fits its graph; or
            the device is not there.
    """
    file = Path(path)
    return Model(str(file), read_content(file), options)


def read_content(file: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: it is too large.
    """
    try:
        found = file.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise ModelError(f"The model {file} is no file: check the path.")
        if found.st_size > _MAX_BYTES:
            raise ModelError(f"{file} is larger than 2 GB: export a smaller model.")
        return file.read_bytes()
    except FileNotFoundError:
        raise FileError(f"The model {file} does not exist: check the path.") from None
    except OSError as error:
        raise FileError(f"The model {file} cannot be read: {error.strerror}.") from None


def shipped_models() -> dict[str, Path]:
    """The models that come with geotools: path by name, such as `landforms-v1`."""
    package = Path(__file__).parent.parent
    folders = (package / "models", package.parent / "models")  # installed; in a source checkout
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    return {file.stem: file for file in sorted(folder.glob("*.onnx"))}


def shipped_model(name: str, *, options: SessionOptions | None = None) -> Model:
    """The model of that name that comes with geotools, to run where and how `options` say.

    Raises:
        ModelError: there is none of that name.
    """
    models = shipped_models()
    if name not in models:
        known = ", ".join(models) or "none"
        raise ModelError(f"No model {name!r} comes with geotools: there are {known}.")
    return open_model(models[name], options=options)


def identify(name: str, content: bytes) -> str:
    """The SHA-256 of a model, when its graph keeps to itself.

    Raises:
        ModelError: not an ONNX model, or not a safe one.
    """
    try:
        check_graph(content)
    except ModelError as error:
        raise ModelError(f"The model {name} is refused: {error}.") from None
    return hashlib.sha256(content).hexdigest()


class Model:
    """A model with a spec, in memory; a `Predictor`."""

    finer: int = 1
    """Its map has the cells of its raster."""

    coarser: int = 1
    """The same."""

    def __init__(self, name: str, content: bytes, options: SessionOptions | None = None) -> None:
        self.file = name
        self.sha256 = identify(name, content)
        self._session = make_session(name, content, options=options)
        self.device = self._session.device
        self.notes: tuple[str, ...] = self._session.notes
        """Of the device alone: what else is to be known of it is in its card."""
        metadata = self._session.metadata
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"The model {name} carries no geotools spec: export it with geotools, or add the "
                f"metadata key {METADATA_KEY!r}."
            )
        self.spec = ModelSpec.from_json(metadata[METADATA_KEY])
        self._check_names()
        self._check_sizes()

    def _check_names(self) -> None:
        """The spec's inputs and outputs are those of the graph."""
        graph = {item.name for item in self._session.get_inputs()}
        named = {item.name for item in self.spec.inputs}
        if graph != named:
            raise ModelError(
                f"The model {self.file} has the inputs {', '.join(sorted(graph))}, its spec says "
                f"{', '.join(sorted(named))}: export it again."
            )
        outputs = {item.name: item for item in self._session.get_outputs()}
        for output in self.spec.outputs:
            if output.name not in outputs:
                raise ModelError(
                    f"The model {self.file} has no output {output.name}, which its spec names: "
                    "export it again."
                )
            shape = outputs[output.name].shape
            channels = shape[1] if len(shape) > 1 else None
            wrong = isinstance(channels, int) and channels != len(output.classes)
            if output.kind == "probabilities" and wrong:
                raise ModelError(
                    f"The model {self.file} gives {channels} channels for "
                    f"{len(output.classes)} classes in its spec: export it again."
                )

    def _check_sizes(self) -> None:
        """The spec asks for blocks that fit into memory."""
        spec = self.spec
        if spec.halo > _MAX_HALO or spec.stride_multiple > _MAX_HALO:
            raise ModelError(
                f"The model {self.file} asks for a halo of {spec.halo} cells and steps of "
                f"{spec.stride_multiple}, at most {_MAX_HALO} are possible: export it again."
            )
        if self.side is not None and not 2 * spec.halo < min(self.side) <= _MAX_SIDE:
            raise ModelError(
                f"The model {self.file} takes tiles of {self.side[0]} x {self.side[1]} cells with "
                f"a halo of {spec.halo}, which is too small or too large: export it again."
            )

    @property
    def side(self) -> tuple[int, int] | None:
        """(rows, columns) of the only block that its graph takes; None: blocks of any size."""
        names = [info.name for info in self.spec.inputs if info.kind == "raster"]
        shapes = [item.shape for item in self._session.get_inputs() if item.name in names]
        if not shapes or len(shapes[0]) != 4:
            return None
        rows, cols = shapes[0][2:]
        return (rows, cols) if isinstance(rows, int) and isinstance(cols, int) else None

    @property
    def channels(self) -> int:
        """Classes of the first output, or the bands of its values."""
        output = self.spec.outputs[0]
        if output.classes:
            return len(output.classes)
        shape = next(x.shape for x in self._session.get_outputs() if x.name == output.name)
        return shape[1] if len(shape) > 1 and isinstance(shape[1], int) else 1

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """The outputs in the order of the spec, for one batch.

        Args:
            inputs: by name, with the shapes that the spec's kinds give.

        Raises:
            ModelError: ONNX Runtime refuses them.
        """
        names = [output.name for output in self.spec.outputs]
        try:
            return self._session.run(names, inputs)
        except Exception as error:  # ONNX Runtime's errors share no public base class
            raise ModelError(
                f"The model {self.file} could not run ({str(error).splitlines()[0]}): check that "
                "the raster is what it was made for."
            ) from None

    def decide(
        self, probabilities: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The most probable class, the first at ties, and its probability."""
        return decide(probabilities)

    def release(self) -> None:
        """See `Predictor`."""
        self._session.release()
