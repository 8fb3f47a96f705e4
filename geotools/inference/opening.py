"""open_any: a model of any origin, by its path or by the name it is shipped under."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from geotools.errors import ModelError
from geotools.inference.foreign import ForeignModel
from geotools.inference.gate import read_metadata
from geotools.inference.model import (
    Model,
    identify,
    open_model,
    read_content,
    shipped_models,
)
from geotools.inference.sessions import SessionOptions, make_session
from geotools.inference.terms import ForeignSettings
from geotools.spec import METADATA_KEY

__all__ = ["open_any", "read_graph", "read_identity"]


def open_any(
    model: str | os.PathLike[str],
    settings: ForeignSettings | None = None,
    *,
    options: SessionOptions | None = None,
) -> Model | ForeignModel:
    """A model with a ModelSpec, or an image model of somebody else's.

    Args:
        model: an `.onnx` file, or the name of a model that comes with geotools.
        settings: what is to be known of a model that does not say it itself.
        options: where and how it runs.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: not an ONNX model, not a safe one, or one that gives no map; settings for a
            model that says all of it.
    """
    file = _file(model)
    content = read_content(file)
    sha256 = identify(str(file), content)
    metadata = read_metadata(content)
    if METADATA_KEY in metadata:
        if settings:
            raise ModelError(
                f"The model {file} says itself how it is to be run: leave --scale, --classes and "
                "the other settings of foreign models out."
            )
        return open_model(file, options=options)
    session = make_session(str(file), content, limited=True, options=options)
    return ForeignModel(
        str(file), sha256, session, metadata, settings or ForeignSettings(), content=content
    )


def read_identity(model: str | os.PathLike[str]) -> tuple[str, dict[str, str]]:
    """SHA-256 and metadata of a model of any origin.

    Raises:
        FileError: no such file, or it cannot be read.
        ModelError: not an ONNX model, or not a safe one.
    """
    file = _file(model)
    content = read_content(file)
    return identify(str(file), content), read_metadata(content)


def read_graph(model: str | os.PathLike[str]) -> dict[str, list[dict[str, Any]]]:
    """Name, type and shape of every input and output of a model of any origin.

    Raises:
        FileError, ModelError: as `read_identity`, or ONNX Runtime cannot load it.
    """
    file = _file(model)
    content = read_content(file)
    identify(str(file), content)
    session = make_session(str(file), content, limited=True, options=SessionOptions(device="cpu"))
    return {
        name: [
            {"name": item.name, "type": item.type, "shape": [str(size) for size in item.shape]}
            for item in items
        ]
        for name, items in (("inputs", session.get_inputs()), ("outputs", session.get_outputs()))
    }


def _file(model: str | os.PathLike[str]) -> Path:
    """The file of a model that is named by its path, or by the name it is shipped under."""
    name = os.fspath(model)
    file = Path(name)
    shipped = shipped_models()
    if name in shipped and not file.exists():
        file = shipped[name]
    elif not file.exists() and os.sep not in name and file.suffix != ".onnx":
        raise ModelError(
            f"There is no model {name}: give an .onnx file, or one of {', '.join(shipped)}."
        )
    return file
