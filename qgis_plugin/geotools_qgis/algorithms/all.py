"""All algorithms: most are their definition and nothing else."""

import os

from qgis.core import QgsProcessingException

from ..definitions import DEFINITIONS
from .algorithm import EngineAlgorithm
from .pages import card_page, doctor_page, lines_of
from .words import is_set

__all__ = ["ALGORITHMS"]


class _Told(EngineAlgorithm):
    """A command that answers with one JSON object, which can be had as a page."""

    page = None

    def always(self):
        """JSON; there is nothing to follow and nothing to replace."""
        return ["--json"]

    def after(self, result, outputs):
        """Writes the page."""
        if "OUTPUT" in outputs:
            with open(outputs["OUTPUT"], "w", encoding="utf-8") as file:
                file.write(type(self).page(result))


class _Doctor(_Told):
    page = staticmethod(doctor_page)

    def after(self, result, outputs):
        """The same, and a summary in words."""
        super().after(result, outputs)
        result["message"] = "\n".join(lines_of(result))


class _ModelInfo(_Told):
    page = staticmethod(card_page)

    def after(self, result, outputs):
        """The same; what is no model is refused."""
        if result.get("kind") != "model":
            raise QgsProcessingException(
                f"{result.get('path')} is no model but {result.get('kind')}: choose an .onnx file."
            )
        super().after(result, outputs)
        give = "; ".join(result.get("give", ()))
        classes = ", ".join(str(one.get("name")) for one in result.get("classes", ()))
        result["message"] = f"Give: {give or 'what its metadata says'}." + (
            f" Classes: {classes}." if classes else ""
        )


class _Train(EngineAlgorithm):
    def checkParameterValues(self, parameters, context):
        """Also that either a configuration or layers say what is learned from."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        layers = {one.name for one in self.definition.options if one.kind.startswith("toml_")}
        given = {name for name in layers if is_set(parameters, name)}
        if is_set(parameters, "CONFIG"):
            return not given, self.tr(
                "The configuration says all that is learned from: leave rasters, labels and what "
                "belongs to them out, or leave it out."
            )
        return given >= {"RASTERS", "LABELS"}, self.tr(
            "Give a configuration, or rasters and labels."
        )

    def always(self):
        """What was trained before is replaced only when that is asked for."""
        return ["--progress", "json"]

    def figure(self, path, result, outputs):
        """Also the files that the next steps take."""
        files = {"@model": "model.onnx", "@report": "report.html"}
        if path[0] in files:
            return os.path.join(outputs["OUTPUT"], files[path[0]])
        return super().figure(path, result, outputs)


class _Evaluate(EngineAlgorithm):
    def checkParameterValues(self, parameters, context):
        """Also that labels are either features or a raster."""
        fine, why = super().checkParameterValues(parameters, context)
        if fine and is_set(parameters, "LABELS") == is_set(parameters, "LABEL_RASTER"):
            return False, self.tr("Give labels either as polygons or points, or as a raster.")
        return fine, why


class _Batch(EngineAlgorithm):
    def always(self):
        """What is there already is kept unless that is asked for."""
        return ["--progress", "json"]


_SPECIAL = {
    "doctor": _Doctor, "modelinfo": _ModelInfo, "train": _Train, "evaluate": _Evaluate,
    "batch": _Batch,
}  # fmt: skip

ALGORITHMS = tuple(
    type(
        f"{one.name.title()}Algorithm",
        (_SPECIAL.get(one.name, EngineAlgorithm),),
        {"definition": one, "__doc__": one.title},
    )
    for one in DEFINITIONS
)
"""A class for each definition."""
