"""CurveView: losses against the epoch, drawn as they come; and a table of a confusion matrix."""

from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QPainter, QPen
from qgis.PyQt.QtWidgets import QTableWidget, QTableWidgetItem, QWidget

__all__ = ["CurveView", "fill_confusion"]

_COLORS = {"training loss": "#4477aa", "validation loss": "#cc6677"}


class CurveView(QWidget):
    """One fit at a time: a new stage, or an epoch that is not the next one, begins another."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setMinimumHeight(160)
        self.stage = ""
        self.curves = {}

    def add(self, stage, number, values):
        """Adds what is known of an epoch."""
        last = max((points[-1][0] for points in self.curves.values() if points), default=0)
        if stage != self.stage or number <= last:
            self.stage, self.curves = stage, {name: [] for name in _COLORS}
        for name in _COLORS:
            if name in values:
                self.curves[name].append((number, float(values[name])))
        self.update()

    def clear(self):
        """Forgets all."""
        self.stage, self.curves = "", {}
        self.update()

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(48, 20, -12, -26)
        painter.setPen(QPen(self.palette().color(self.foregroundRole()), 1))
        painter.drawRect(area)
        points = [point for curve in self.curves.values() for point in curve]
        if not points:
            centre = Qt.AlignmentFlag.AlignCenter
            painter.drawText(area, centre, "Losses of nets appear here, epoch by epoch.")
            return
        low, high = min(y for _, y in points), max(y for _, y in points)
        last = max(max(x for x, _ in points), 2)
        span = (high - low) or 1.0
        painter.drawText(QPointF(4, area.top() + 6), f"{high:.3g}")
        painter.drawText(QPointF(4, area.bottom()), f"{low:.3g}")
        painter.drawText(
            QPointF(area.left(), area.bottom() + 18), f"1 … {last} epochs, {self.stage}"
        )
        for place, (name, color) in enumerate(_COLORS.items()):
            painter.setPen(QPen(QColor(color), 2))
            painter.drawText(QPointF(area.left() + 130 * place, area.top() - 6), name)
            scaled = [
                QPointF(
                    area.left() + (x - 1) / (last - 1) * area.width(),
                    area.bottom() - (y - low) / span * area.height(),
                )
                for x, y in self.curves[name]
            ]
            for start, end in zip(scaled, scaled[1:]):
                painter.drawLine(start, end)
            if len(scaled) == 1:
                painter.drawPoint(scaled[0])


def fill_confusion(table: QTableWidget, evaluation):
    """Shows the confusion matrix of `evaluation.json`: rows are labels, columns the model."""
    names = [str(one["name"]) for one in evaluation.get("classes") or ()]
    rows = evaluation.get("confusion") or []
    table.setRowCount(len(rows))
    table.setColumnCount(len(rows))
    if len(names) == len(rows):
        table.setVerticalHeaderLabels(names)
        table.setHorizontalHeaderLabels(names)
    for row, counts in enumerate(rows):
        total = sum(counts) or 1
        for column, count in enumerate(counts):
            item = QTableWidgetItem(f"{count:,}")
            item.setToolTip(f"{100 * count / total:.1f} % of the cells of this class")
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            shade = QColor("#4477aa" if row == column else "#cc6677")
            shade.setAlphaF(0.75 * count / total)
            item.setBackground(shade)
            table.setItem(row, column, item)
