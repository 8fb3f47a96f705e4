"""Splits that are given: by date, the later tested by the earlier, and by lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.training.labels.classes import as_text
from geotools.training.splits.job import SplitJob
from geotools.training.splits.rounds import Round, Split, one_round

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["by_list", "by_time"]

_LISTED = 20
_RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")


def by_time(job: SplitJob) -> Split:
    """Rounds that test a period by what came before it, decided by the period between.

    Raises:
        LabelsError: no dates, or one; a class that is never learned before it is tested.
    """
    time = job.cells.time
    dated = np.isfinite(time)
    if not dated.any():
        raise LabelsError(
            'split.kind = "time" needs dates: name their field with labels.time, or their column '
            "with table.time."
        )
    if not dated.all():
        without = int(np.count_nonzero(~dated))
        job.warn(f"Cells without a date: {without} are neither learned from nor tested.")
    unit = np.full(len(time), -1, np.int64)
    unit[dated] = _periods(time[dated], job.config.folds + 2)
    job.check(unit, "period", 'label it at another date too, or set split.kind = "blocks"')
    last = int(unit.max())
    rounds: list[Round] = []
    if last == 1:
        rounds.append(one_round(unit == 1, unit == 0, job.strata, job.finer(), seed=job.seed))
    for test in range(2, last + 1):
        one = Round(
            np.flatnonzero(dated & (unit < test - 1)),
            np.flatnonzero(unit == test - 1),
            np.flatnonzero(unit == test),
        )
        if set(job.strata[one.train]) >= set(job.strata[dated & (unit <= test)]):
            rounds.append(one)
    if not rounds:
        raise LabelsError(
            'split.kind = "time" finds no period with all classes in those before it: take '
            '"blocks", or leave out the classes that come last.'
        )
    fold = np.full(len(time), -1, np.int16)
    for number, one in enumerate(rounds):
        fold[one.test] = number
    title = f"{len(rounds)} of {last + 1} periods, each tested by those before it"
    names = tuple(_dates(time[unit == number]) for number in range(last + 1))
    split = Split("time", title, tuple(rounds), unit, fold, unit_word="periods")
    return job.with_parts(split, unit, names, "periods")


def _dates(time: NDArray[np.float64]) -> str:
    """The first and the last date of a period: 2001-03-05 to 2001-11-20."""
    first, last = (str(np.datetime64(int(np.floor(day)), "D")) for day in (time.min(), time.max()))
    return first if first == last else f"{first} to {last}"


def _periods(time: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """(n,) periods from 0 with about the same number of cells; one date is in one period."""
    dates, place, count = np.unique(time, return_inverse=True, return_counts=True)
    if len(dates) < 2:
        raise LabelsError(
            'split.kind = "time" needs labels of two dates, and all have the same: take "blocks".'
        )
    before = np.cumsum(count) - count
    period = before * min(most, len(dates)) // len(time)
    if period[-1] == period[0]:
        period[1:] += 1  # most cells have the first date
    _, period = np.unique(period, return_inverse=True)
    return np.asarray(period.reshape(-1)[place.reshape(-1)], np.int64)


def by_list(job: SplitJob) -> Split:
    """One round of groups, or of rows by number, that are named.

    Raises:
        LabelsError: a name that is no group, or is named twice; a part that holds no cell; a class
            that is tested and not learned.
    """
    config = job.config
    parts = {
        name: _part(job, name, given)
        for name, given in (
            ("train", config.train), ("validation", config.validation), ("test", config.test),
        )
        if given
    }  # fmt: skip
    train, test = parts["train"], parts["test"]
    validation = parts.get("validation")
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        if one in parts and other in parts and (parts[one] & parts[other]).any():
            raise LabelsError(f"split.{one} and split.{other} share cells: name each group once.")
    unit = job.cells.group.astype(np.int64) if job.groups else np.full(len(train), -1, np.int64)
    if not job.groups:
        for number, name in enumerate(parts):
            unit[parts[name]] = number
    if validation is None:
        finer = unit if len(np.unique(unit[train])) >= _ENOUGH else job.finer()
        found = one_round(test, train, job.strata, finer, seed=job.seed)
    else:
        found = Round(*(np.flatnonzero(part) for part in (train, validation, test)))
    missing = set(job.strata[found.test]) - set(job.strata[found.train])
    if job.cells.is_classes and missing:
        raise LabelsError(
            f"The class {job.called(min(missing))} is in split.test but not in split.train: give "
            "it to both."
        )
    fold = np.full(len(train), -1, np.int16)
    fold[found.test] = 0
    what = "groups" if job.groups else "rows"
    title = f"one round of given {what}"
    split = Split("list", title, (found,), unit, fold, unit_word=what)
    return job.with_parts(split, unit, job.groups, what) if job.groups else job.with_finer(split)


_ENOUGH = 3
"""Groups of `train` from which some are drawn for validation; with fewer, parts of them."""


def _part(job: SplitJob, name: str, given: Sequence[str | int]) -> NDArray[np.bool_]:
    """(n,) True for the cells of a list."""
    chosen = np.zeros(len(job.cells), np.bool_)
    for one in given:
        text = as_text(one)
        if job.groups:
            if text not in job.groups:
                listed = ", ".join(job.groups[:_LISTED]) + (
                    ", …" if len(job.groups) > _LISTED else ""
                )
                raise LabelsError(
                    f"split.{name} names {text!r}, which is no group: there are {listed}."
                )
            chosen |= job.cells.group == job.groups.index(text)
            continue
        found = _RANGE.fullmatch(text)
        if found is None or job.cells.col.any():
            raise LabelsError(
                f"split.{name} names {text!r}, but there are no groups: name their field with "
                "labels.group or table.group; rows of a table may be given as 1-4435."
            )
        first, last = int(found[1]), int(found[2] or found[1])
        if first < 1:
            raise LabelsError(f"split.{name} names {text!r}, and the first row is 1: count from 1.")
        there = int(job.cells.row.max()) + 1
        if last > there:
            job.warn(f"split.{name} names {text!r}, and the last row with a target is {there}.")
        chosen |= (job.cells.row >= first - 1) & (job.cells.row <= last - 1)
    if not chosen.any():
        raise LabelsError(f"split.{name} holds no label: name other groups or rows.")
    return chosen
