"""The temporal controller, set to what a layer of earthquakes spans, and on to their forecast."""

from qgis.core import (
    QgsDateTimeRange,
    QgsInterval,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QDateTime

__all__ = ["frame_days", "set_time"]

_FRAMES = 100
_DAYS = (1 / 24, 1 / 4, 1, 7, 30, 91, 365)
"""Lengths of a frame that people can read."""


def frame_days(span_days):
    """Length of a frame in days, so that there are about a hundred of them."""
    return next((days for days in _DAYS if span_days / days <= _FRAMES), _DAYS[-1])


def set_time(layer, controller):
    """Gives the controller the range of a layer and frames of a readable length.

    A raster that is true of a window, such as a forecast, makes the range longer where there is
    one. What somebody animates at the moment is not disturbed.
    """
    properties = layer.temporalProperties()
    if controller is None or properties is None or not properties.isActive():
        return
    if isinstance(layer, QgsRasterLayer):
        _extend(controller, properties.fixedTemporalRange())
        return
    first, last = layer.minimumAndMaximumValue(layer.fields().indexOf(properties.startField()))
    if not isinstance(first, QDateTime) or not first.isValid() or not last.isValid():
        return
    if controller.animationState() != QgsTemporalNavigationObject.Idle:
        return
    controller.setTemporalExtents(QgsDateTimeRange(first, last))
    seconds = first.secsTo(last)
    days = frame_days(seconds / 86400)
    if days < 1:
        controller.setFrameDuration(QgsInterval(24 * days, QgsUnitTypes.TemporalHours))
    else:
        controller.setFrameDuration(QgsInterval(days, QgsUnitTypes.TemporalDays))


def _extend(controller, window):
    """Makes the range of a controller that has one hold a window too."""
    span = controller.temporalExtents()
    if not span.begin().isValid() or not span.end().isValid() or not window.end().isValid():
        return
    if controller.animationState() == QgsTemporalNavigationObject.Idle:
        begin = min(span.begin(), window.begin())
        controller.setTemporalExtents(QgsDateTimeRange(begin, max(span.end(), window.end())))
