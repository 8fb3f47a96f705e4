"""What is made opens with its name, group, time and provenance; its style comes with the file."""

import json
import os
import shlex
from collections import deque

from qgis.core import (
    QgsDateTimeRange,
    QgsLayerTree,
    QgsMapLayer,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt

__all__ = ["ON_LOADED", "LayerFinisher", "finish_layers"]

ON_LOADED = []
"""Functions of the desktop that are called with every layer of ours that was loaded."""

_KEPT = deque(maxlen=200)
"""QGIS holds no reference to a post-processor: without one of ours it is silently never called."""

GROUP = "geotools"
"""Group of the layer tree that results are put in."""


class LayerFinisher(QgsProcessingLayerPostProcessorInterface):
    """Gives a loaded layer what its file cannot; runs in QGIS's main thread."""

    def __init__(self, provenance, window=None, group=""):
        super().__init__()
        self.provenance, self.window, self.group = provenance, window, group
        _KEPT.append(self)

    def postProcessLayer(self, layer, context, feedback):
        """Sets provenance, temporal properties and, where QGIS does not, the group."""
        _tell_provenance(layer, self.provenance)
        # Processing loads layers without the style of their file, and the temporal part of a
        # default style is active only after it is loaded again.
        layer.loadDefaultStyle()
        if self.window is not None and isinstance(layer, QgsRasterLayer):
            _set_window(layer, self.window)
        if self.group:
            _put_into_group(layer, self.group, context.project())
        for call in ON_LOADED:
            call(layer)
        layer.triggerRepaint()


def finish_layers(algorithm, outputs, result, words, context, names):
    """Asks that layers which will be loaded are named and finished.

    Args:
        outputs: path by name of the output.
        result: the engine's last message.
        words: the command that was run.
        names: title by name of the output.
    """
    provenance = _provenance(algorithm, result, words)
    window = None
    if algorithm.name() == "forecast" and "start" in result:
        window = result["start"], result["end"]
    for name, path in outputs.items():
        if not context.willLoadLayerOnCompletion(path):
            continue
        if not os.path.exists(path):  # nothing is made when it is only to be told what would be
            wanted = context.layersToLoadOnCompletion()
            del wanted[path]
            context.setLayersToLoadOnCompletion(wanted)
            continue
        details = context.layerToLoadOnCompletionDetails(path)
        details.name = names[name]  # files that were named keep theirs, if QGIS's options say so
        group = GROUP
        if hasattr(details, "groupName"):  # from 3.32 on
            details.groupName, group = GROUP, ""
        details.setPostProcessor(LayerFinisher(provenance, window, group))
        context.addLayerToLoadOnCompletion(path, details)


def _provenance(algorithm, result, words):
    """What made the layer, as title and lines."""
    lines = [f"Made by geotools, {algorithm.displayName()} ({algorithm.id()})."]
    said = result.get("message")
    if said:
        lines.append(said)
    lines.append("Command: geotools " + shlex.join(words))
    kept = {key: result[key] for key in ("model", "method", "device", "mc") if key in result}
    if kept:
        lines.append(json.dumps(kept, ensure_ascii=False))
    return lines


def _tell_provenance(layer: QgsMapLayer, lines):
    metadata = layer.metadata()
    metadata.setTitle(layer.name())
    metadata.setAbstract("\n".join(lines))
    for line in lines:
        metadata.addHistoryItem(line)
    layer.setMetadata(metadata)


def _set_window(layer, window):
    """A raster that is true of one span of time appears in that span alone."""
    start, end = (QDateTime.fromString(moment[:19], Qt.DateFormat.ISODate) for moment in window)
    for moment in (start, end):
        moment.setTimeSpec(Qt.TimeSpec.UTC)
    properties = layer.temporalProperties()
    properties.setMode(properties.ModeFixedTemporalRange)
    properties.setFixedTemporalRange(QgsDateTimeRange(start, end))
    properties.setIsActive(True)


def _put_into_group(layer, title, project):
    """Moves a layer that was added at the top into the group of that title, made when missing."""
    if project is None:
        return
    root = project.layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None or not QgsLayerTree.isLayer(node):
        return
    group = root.findGroup(title) or root.insertGroup(0, title)
    if node.parent() is group:
        return
    moved = node.clone()
    group.insertChildNode(0, moved)
    moved.setExpanded(True)
    node.parent().removeChildNode(node)
