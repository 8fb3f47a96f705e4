"""The configuration of a training as TOML, from layers; plain values, without QGIS."""

import json
import re

__all__ = ["training_toml", "words_of_names"]


def training_toml(name, inputs, labels, field, texts):
    """The text of a configuration.

    Args:
        name: of the model.
        inputs: name, path, CRS and missing value (empty: the file's) of each raster.
        labels: path and layer.
        field: of the class; empty where all features are one.
        texts: values of FEATURES, CLASS_NAME, BACKGROUND and METRIC, where there are some.
    """
    lines = [f"name = {_text(_word(name, 'model'))}"]
    if texts.get("METRIC"):
        lines.append(f"metric = {_text(texts['METRIC'])}")
    features = [part.strip() for part in texts.get("FEATURES", "").split(",") if part.strip()]
    if features:
        lines.append(f"features = [{', '.join(map(_text, features))}]")
    words = words_of_names([name for name, *_ in inputs])
    for word, (_, path, crs, nodata) in zip(words, inputs):
        lines += ["", "[[inputs]]", f"name = {_text(word)}", f"path = {_text(path)}"]
        lines += [f"crs = {_text(crs)}"] if crs else []
        lines += [f"nodata = {nodata}"] if nodata else []
    lines += ["", "[labels]", f"path = {_text(labels[0])}", f"layer = {_text(labels[1])}"]
    for key, value in (
        ("field", field),
        ("class_name", texts.get("CLASS_NAME")),
        ("background", texts.get("BACKGROUND")),
    ):
        lines += [f"{key} = {_text(value)}"] if value else []
    return "\n".join(lines) + "\n"


def words_of_names(names):
    """A word for each name, as features call rasters by it: letters, digits and _, no two alike."""
    found = []
    for number, name in enumerate(names, 1):
        word = _word(name, f"raster{number}")
        while word in found:
            word += "_"
        found.append(word)
    return found


def _word(name, otherwise):
    word = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lower()
    return word if word and not word[0].isdigit() else f"{otherwise}_{word}".rstrip("_")


def _text(value):
    """A text of TOML, whose basic strings are those of JSON but for one character."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
