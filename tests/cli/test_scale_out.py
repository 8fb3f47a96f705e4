"""docs/scale-out.md: its scripts run as they stand, and give the map of one run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import make_terrain, write_tif
from onnx_bytes import neighbourhood_model

PAGE = (Path(__file__).parents[2] / "docs" / "scale-out.md").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path):
    """Runs a script where `geotools` is this one, with more variables."""
    write_tif(tmp_path / "dem.tif", make_terrain(150, 170))
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    program = tmp_path / "bin" / "geotools"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m geotools "$@"\n')
    program.chmod(0o755)

    def run(script: str, **variables: object) -> None:
        environment = os.environ | {name: str(value) for name, value in variables.items()}
        environment["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environment, check=True,
                       capture_output=True)  # fmt: skip

    return run


@pytest.mark.skipif(os.name != "posix", reason="scripts for sh")
def test_the_scripts_give_the_map_of_one_run(shell, tmp_path):
    """Shards by hand, as an array of Slurm, and as an indexed job of Kubernetes."""
    by_hand = re.search(r"```\n(geotools predict .*?)```", PAGE, re.DOTALL)[1]
    slurm = re.search(r"```sh\n(#!/bin/sh\n.*?)```", PAGE, re.DOTALL)[1]
    pod = re.search(r">-\n(.*?)\n +volumeMounts", PAGE, re.DOTALL)[1]
    completions = int(re.search(r"completions: (\d+)", PAGE)[1])
    shell("geotools predict m.onnx dem.tif -o whole.tif")
    maps = [(tmp_path / "whole.tif").read_bytes()]
    shell(by_hand.replace(" --job job", " --job job --unit 64 --tile 64"))
    maps.append((tmp_path / "out.tif").read_bytes())
    first, last = map(int, re.search(r"--array=(\d+)-(\d+)", slurm).groups())
    for index in range(first, last + 1):
        shell(slurm, SLURM_ARRAY_TASK_ID=index, SLURM_ARRAY_TASK_COUNT=last - first + 1)
    shell("geotools merge job --overwrite")
    maps.append((tmp_path / "out.tif").read_bytes())
    for index in range(completions):
        shell(" ".join(pod.split()), JOB_COMPLETION_INDEX=index)
    shell("geotools merge job --overwrite")
    maps.append((tmp_path / "out.tif").read_bytes())
    assert len(set(maps)) == 1


def test_the_settings_of_a_scheduler_are_ours():
    """Those that `local` has."""
    pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    from geotools.engine.cluster import SETTINGS

    said = dict(re.findall(r"export DASK_DISTRIBUTED__SCHEDULER__(\w+)=(\w+)", PAGE))
    assert len(said) == 3
    for name, value in said.items():
        key = f"distributed.scheduler.{name.lower().replace('_', '-')}"
        assert str(SETTINGS[key]) == value
