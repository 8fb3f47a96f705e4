"""Values of parameters as words of the command line."""

import os

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingUtils,
    QgsProperty,
)

from .inputs import catalog_file, crs_text, raster_crs, raster_file, vector_file
from .missing import NONE, missing_value
from .toml import training_toml

__all__ = ["Words", "is_set"]


def is_set(parameters, name):
    """Whether a parameter has a value of its own or a default that is one."""
    value = parameters.get(name)
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return False
    if isinstance(value, QgsProperty):
        return True
    return not (isinstance(value, (str, list, tuple)) and len(value) == 0)


class Words:
    """Makes the words for one run; reads layers, so it lives in QGIS's main thread."""

    def __init__(self, algorithm, parameters, context, feedback):
        self.algorithm, self.parameters = algorithm, parameters
        self.context, self.feedback = context, feedback
        self._flags = set()
        self._crs = ""
        self._nodata = ""
        self._more = []

    def of(self, definition):
        """All words but those of outputs: what stands without a flag, then the others."""
        first, then = [], []
        self._flags = {option.flag for option in definition.options}
        for option in definition.options:
            if option.kind not in _WORDS or not self._given(option):
                continue
            words = _WORDS[option.kind](self, option)
            (then if option.flag else first).extend(words)
        if any(option.kind.startswith("toml_") for option in definition.options):
            first += self._toml(definition)
        for flag, word in (("--crs", self._crs), ("--nodata", self._nodata)):
            if word and flag not in then:
                then += [flag, word]
        return [*definition.command, *first, *then, *self._more]

    def _given(self, option):
        if option.kind in ("flag", "choices", "choice") and option.name not in self.parameters:
            return option.default is not None
        return is_set(self.parameters, option.name)

    def _flag(self, option):
        on = self.algorithm.parameterAsBool(self.parameters, option.name, self.context)
        return [option.flag] if on else []

    def _text(self, option):
        text = self.algorithm.parameterAsString(self.parameters, option.name, self.context).strip()
        return _with_flag(option, text) if text else []

    def _int(self, option):
        value = self.algorithm.parameterAsInt(self.parameters, option.name, self.context)
        return [option.flag, str(value)]

    def _float(self, option):
        value = self.algorithm.parameterAsDouble(self.parameters, option.name, self.context)
        return [option.flag, repr(value)]

    def _choice(self, option):
        word = self.algorithm.parameterAsEnumString(self.parameters, option.name, self.context)
        return [option.flag, word] if word else []

    def _choices(self, option):
        words = self.algorithm.parameterAsEnumStrings(self.parameters, option.name, self.context)
        return [part for word in words for part in (option.flag, word)]

    def _path(self, option):
        text = self.algorithm.parameterAsFile(self.parameters, option.name, self.context)
        return _with_flag(option, _absolute(text))

    def _paths(self, option):
        files = self.algorithm.parameterAsFileList(self.parameters, option.name, self.context)
        return [part for file in files for part in (option.flag, _absolute(file))]

    def _raster(self, option):
        layer = self.algorithm.parameterAsRasterLayer(self.parameters, option.name, self.context)
        if layer is None or not layer.isValid():
            raise QgsProcessingException(_unreadable(option, self.parameters, "raster"))
        if not option.flag:
            self._crs = raster_crs(layer)
            self._nodata = self._missing([layer])
            if self._crs and "--crs" not in self._flags:
                self._crs = ""
                self._no_matter(layer, "assigned as its CRS", "the file's counts")
        return _with_flag(option, raster_file(layer, option.name, self.context, self.feedback))

    def _rasters(self, option):
        layers = self.algorithm.parameterAsLayerList(self.parameters, option.name, self.context)
        assigned = {crs for crs in map(raster_crs, layers) if crs}
        if len(assigned) == 1 and len(layers) == 1:
            (self._crs,) = assigned
        elif assigned:
            raise QgsProcessingException(
                f"{option.label}: a CRS was assigned to some of several layers, which the files do "
                "not have: save them with it, or give it as the CRS of all."
            )
        self._nodata = self._missing(layers)
        return [raster_file(layer, option.name, self.context, self.feedback) for layer in layers]

    def _label_raster(self, option):
        """A raster that stands without a flag as the second one."""
        layer = self.algorithm.parameterAsRasterLayer(self.parameters, option.name, self.context)
        if layer is None or not layer.isValid():
            raise QgsProcessingException(_unreadable(option, self.parameters, "raster"))
        crs = raster_crs(layer)
        self._more = [option.beside, crs] if crs else []
        if any(missing_value(layer)):
            self._no_matter(layer, _MISSING, "the file's value counts")
        return [raster_file(layer, option.name, self.context, self.feedback)]

    def _missing(self, layers):
        """The value that all of some layers have as missing by their properties, as a word.

        What cannot be told is warned about.
        """
        if is_set(self.parameters, "NODATA"):
            return ""  # it is the user's last word
        band = None
        if is_set(self.parameters, "BAND"):
            band = self.algorithm.parameterAsInt(self.parameters, "BAND", self.context)
        found = {}
        for layer in layers:
            word, why = missing_value(layer, band)
            if word and "--nodata" not in self._flags:
                word, why = "", "this algorithm takes the file's"
            if why:
                self._no_matter(layer, _MISSING, why)
            else:
                found.setdefault(word, layer)
        if len(found) > 1:
            self._no_matter(found[max(found)], _MISSING, "other layers have another")
            return ""
        return next(iter(found), "")

    def _missing_of_input(self, layer):
        """The same of one raster of a configuration, which has a value for each."""
        word, why = missing_value(layer)
        if word == NONE:
            word, why = "", "a configuration cannot switch the file's value off"
        if why:
            self._no_matter(layer, _MISSING, why)
        return word

    def _no_matter(self, layer, what, why):
        """Warns that something of a layer's properties cannot be passed on."""
        self.feedback.pushWarning(
            f"{layer.name()}: what its properties have {what} does not count here, since {why}: "
            "save it as a GeoTIFF and choose that."
        )

    def _band(self, option):
        return self._int(option)

    def _crs_word(self, option):
        crs = self.algorithm.parameterAsCrs(self.parameters, option.name, self.context)
        return [option.flag, crs_text(crs)] if crs.isValid() else []

    def _extent(self, option):
        box = self.algorithm.parameterAsExtent(self.parameters, option.name, self.context)
        if box.isNull() or box.isEmpty():
            return []
        crs = self.algorithm.parameterAsExtentCrs(self.parameters, option.name, self.context)
        words = [option.flag, ",".join(map(repr, _edges(box)))]
        return [*words, option.beside, crs_text(crs)] if crs.isValid() else words

    def _box(self, option):
        degrees = QgsCoordinateReferenceSystem("EPSG:4326")
        box = self.algorithm.parameterAsExtent(self.parameters, option.name, self.context, degrees)
        if box.isNull() or box.isEmpty():
            return []
        return [option.flag, *map(repr, _edges(box))]

    def _source(self, option):
        source = self.algorithm.parameterAsSource(self.parameters, option.name, self.context)
        if source is None:
            raise QgsProcessingException(_unreadable(option, self.parameters, "layer"))
        layer = self.algorithm.parameterAsVectorLayer(self.parameters, option.name, self.context)
        return source, layer

    def _vector(self, option):
        source, layer = self._source(option)
        path, name = vector_file(source, layer, option.name, self.context, self.feedback)
        words = _with_flag(option, path)
        return [*words, option.beside, name] if option.beside and option.flag else words

    def _labels(self, option):
        """A layer that stands without a flag; its name in the file is told with one."""
        source, layer = self._source(option)
        path, name = vector_file(source, layer, option.name, self.context, self.feedback)
        self._more = [option.beside, name]
        return [path]

    def _single_vector(self, option):
        """A file of one layer, for flags that have none for its name."""
        source, _ = self._source(option)
        path, _ = vector_file(source, None, option.name, self.context, self.feedback)
        return _with_flag(option, path)

    def _events(self, option):
        source, layer = self._source(option)
        return [catalog_file(source, layer, option.name, self.context, self.feedback)]

    def _field(self, option):
        names = self.algorithm.parameterAsFields(self.parameters, option.name, self.context)
        return [option.flag, names[0]] if names else []

    def _toml(self, definition):
        """The configuration that rasters and labels make, where none is given."""
        if is_set(self.parameters, "CONFIG"):
            return []
        given = [one for one in definition.options if one.kind.startswith("toml_")]
        given = {one.name: one for one in given if is_set(self.parameters, one.name)}
        layers = self.algorithm.parameterAsLayerList(self.parameters, "RASTERS", self.context)
        inputs = [
            (one.name(), raster_file(one, "RASTERS", self.context, self.feedback), raster_crs(one),
             self._missing_of_input(one))
            for one in layers
        ]  # fmt: skip
        source, layer = self._source(given["LABELS"])
        labels = vector_file(source, layer, "LABELS", self.context, self.feedback)
        texts = {
            name: self.algorithm.parameterAsString(self.parameters, name, self.context)
            for name in ("FEATURES", "CLASS_NAME", "BACKGROUND")
            if name in given
        }
        if "METRIC" in given:
            texts["METRIC"] = self.algorithm.parameterAsEnumString(
                self.parameters, "METRIC", self.context
            )
        fields = self.algorithm.parameterAsFields(self.parameters, "FIELD", self.context)
        name = os.path.basename(
            os.path.normpath(self.algorithm.parameterAsString(
                self.parameters, "OUTPUT", self.context
            ))
        )  # fmt: skip
        path = QgsProcessingUtils.generateTempFilename("training.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(training_toml(name, inputs, labels, fields[0] if fields else "", texts))
        self.feedback.pushInfo(f"The configuration is {path}.")
        return [path]


_MISSING = "set as missing"


def _unreadable(option, parameters, what):
    return (
        f"{option.label}: {parameters[option.name]} is no {what} that QGIS can read: choose "
        "another."
    )


def _with_flag(option, text):
    return [option.flag, text] if option.flag else [text]


def _absolute(path):
    """A path whole, since the engine may start elsewhere; a name as it is."""
    return os.path.abspath(path) if os.path.exists(path) else path


def _edges(box):
    return box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()


_WORDS = {
    "flag": Words._flag,
    "text": Words._text,
    "int": Words._int,
    "float": Words._float,
    "choice": Words._choice,
    "choices": Words._choices,
    "file": Words._path,
    "folder": Words._path,
    "model": Words._path,
    "catalog": Words._path,
    "models": Words._paths,
    "raster": Words._raster,
    "rasters": Words._rasters,
    "label_raster": Words._label_raster,
    "band": Words._band,
    "crs": Words._crs_word,
    "extent": Words._extent,
    "box": Words._box,
    "polygons": Words._vector,
    "vector": Words._labels,
    "polygons_file": Words._single_vector,
    "events": Words._events,
    "field": Words._field,
}
"""What each kind of option becomes; outputs are told later, toml_ kinds together."""
