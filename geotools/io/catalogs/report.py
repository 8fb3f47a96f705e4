"""What came of reading a catalog: how many events, which were left out, and why."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReadReport", "Skipped", "Tally", "shown"]

_LONGEST = 300
"""Signs of a reason, a place or a note."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Events that were left out for one reason."""

    reason: str
    """A few words: "no time", "event type explosion"."""
    count: int
    """How many."""
    example: str
    """Where the first one is: "line 12", an event id; "" where it has no place."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What was read from one catalog."""

    file: str
    """The file as it was named."""
    format: str
    """Name of the format, as `--format` takes it."""
    read: int
    """Events in the table."""
    skipped: tuple[Skipped, ...]
    """What was left out, most frequent first."""
    notes: tuple[str, ...]
    """What was put right on the way, one sentence each."""

    @property
    def skipped_count(self) -> int:
        """Events left out, all reasons together."""
        return sum(item.count for item in self.skipped)

    def __str__(self) -> str:
        parts = [f"{self.file} ({self.format}): {self.read:,} events"]
        for item in self.skipped:
            where = f", first: {item.example}" if item.example else ""
            parts.append(f"{item.count:,} left out: {item.reason}{where}")
        return " ".join(["; ".join(parts) + ".", *self.notes])


class Tally:
    """Collects, while a catalog is read, what the report will say."""

    def __init__(self) -> None:
        self._skipped: dict[str, tuple[int, str]] = {}
        self._notes: list[str] = []

    @property
    def skipped_count(self) -> int:
        """Events left out so far."""
        return sum(count for count, _ in self._skipped.values())

    def skip(self, reason: str, where: str = "", count: int = 1) -> None:
        """Counts events that are left out; the first place of each reason is kept."""
        if count:
            reason, where = shown(reason), shown(where)
            known, first = self._skipped.get(reason, (0, where))
            self._skipped[reason] = (known + count, first)

    def note(self, sentence: str) -> None:
        """Keeps a sentence, once."""
        sentence = shown(sentence)
        if sentence not in self._notes:
            self._notes.append(sentence)

    def report(self, file: str, format: str, read: int) -> ReadReport:
        """The report of the file."""
        ordered = sorted(self._skipped.items(), key=lambda item: (-item[1][0], item[0]))
        skipped = tuple(Skipped(reason, count, first) for reason, (count, first) in ordered)
        return ReadReport(file, format, read, skipped, tuple(self._notes))


def shown(text: str) -> str:
    """A text that may come from a file, as it may be shown on a terminal: short and plain."""
    text = " ".join((text if len(text) <= _LONGEST else text[:_LONGEST] + "…").split())
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
