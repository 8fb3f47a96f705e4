"""Model: an `.onnx` file with its spec, ready to run on arrays.

The only place that reads `.onnx` files; they are untrusted, so the graph is checked before ONNX
Runtime sees it, and it is loaded from memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from geotools.errors import FileError, ModelError
from geotools.inference.gate import check_graph
from geotools.spec import METADATA_KEY, ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Model", "open_model", "shipped_model", "shipped_models"]

_MAX_BYTES = 2 * 2**30


def open_model(path: str | os.PathLike[str]) -> Model:
    """The model in an `.onnx` file that carries a ModelSpec.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: not an ONNX model, not a safe one, or without a spec that fits its graph.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{file} is larger than 2 GB: export a smaller model.")
        content = file.read_bytes()
    except FileNotFoundError:
        raise FileError(f"The model {file} does not exist: check the path.") from None
    except OSError as error:
        raise FileError(f"The model {file} cannot be read: {error.strerror}.") from None
    return Model(str(file), content)


def shipped_models() -> dict[str, Path]:
    """The models that come with geotools: path by name, such as `landforms-v1`."""
    package = Path(__file__).parent.parent
    folders = (package / "models", package.parent / "models")  # installed; in a source checkout
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    return {file.stem: file for file in sorted(folder.glob("*.onnx"))}


def shipped_model(name: str) -> Model:
    """The model of that name that comes with geotools.

    Raises:
        ModelError: there is none of that name.
    """
    models = shipped_models()
    if name not in models:
        known = ", ".join(models) or "none"
        raise ModelError(f"No model {name!r} comes with geotools: there are {known}.")
    return open_model(models[name])


class Model:
    """A model in memory; `run` may be called from several threads."""

    def __init__(self, name: str, content: bytes) -> None:
        self.file = name
        self.sha256 = hashlib.sha256(content).hexdigest()
        try:
            check_graph(content)
        except ModelError as error:
            raise ModelError(f"The model {name} is refused: {error}.") from None
        self._session = _session(name, content)
        metadata = self._session.get_modelmeta().custom_metadata_map
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"The model {name} carries no geotools spec: export it with geotools, or add the "
                f"metadata key {METADATA_KEY!r}."
            )
        self.spec = ModelSpec.from_json(metadata[METADATA_KEY])
        self._check_names()

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
            return list(self._session.run(names, dict(inputs)))
        except Exception as error:  # ONNX Runtime's errors share no public base class
            raise ModelError(
                f"The model {self.file} could not run ({str(error).splitlines()[0]}): check that "
                "the raster is what it was made for."
            ) from None


def _session(name: str, content: bytes) -> Any:
    options = ort.SessionOptions()
    # One session, one thread inside, several callers: measured as fast as two sessions, and
    # spinning threads steal from the callers on busy machines.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public base class
        raise ModelError(
            f"The model {name} cannot be loaded ({str(error).splitlines()[0]}): give an .onnx file "
            "that ONNX Runtime reads."
        ) from None
