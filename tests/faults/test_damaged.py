"""Truncated inputs and damaged outputs: bar R9 in full."""

from pathlib import Path

import pytest

from faults.damaged import CUTS, DAMAGES, cut_input, damage_output


@pytest.mark.parametrize("case", CUTS, ids=str)
def test_a_truncated_input_is_named(tmp_path: Path, case: tuple[str, float]):
    """In one sentence, with the window that cannot be read where the file opens at all."""
    assert cut_input(tmp_path, *case) == "named"


def test_damage_of_a_file_with_a_record_is_found(tmp_path: Path):
    """In 14 of 14 cases, in some of which every cell reads without an error."""
    states = [damage_output(tmp_path, *case) for case in DAMAGES]
    assert len(states) == 14
    assert set(states) <= {"changed, read", "damaged"}
    assert {"changed, read", "damaged"} <= set(states), "the record is needed, and the reading too"
