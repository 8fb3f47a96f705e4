"""Hazards of numbers: right, or refused in one sentence with the remedy: bar R14 in full."""

from pathlib import Path

import pytest

from faults.hazards import HAZARDS


@pytest.mark.parametrize("name", HAZARDS)
def test_hazards(tmp_path: Path, name: str):
    """A right map of the plane, or a refusal that leaves nothing."""
    procedure, expected = HAZARDS[name]
    assert procedure(tmp_path) == expected


def test_all_of_the_bar_are_there():
    assert len(HAZARDS) == 24
