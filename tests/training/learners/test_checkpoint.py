"""A fit that was killed goes on to the same bits; a file from elsewhere is not taken."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from net_materials import fitted_net, material_for

from geotools.training.learners.checkpoint import Checkpoint, digest_of

KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import torch
from net_materials import fitted_net, material_for

def run(name, last):
    torch.set_num_threads(int(sys.argv[3]))  # sums of convolutions depend on how they are shared

    def progress(epoch):
        if epoch.number == last:
            os.kill(os.getpid(), signal.SIGKILL)
    fit = {"checkpoint": Path(sys.argv[2]) / f"{name}.pt", "progress": progress}
    fitted_net(name, material_for(name), epochs=3, members=2, fit=fit)

for name, last in (("dense", 1), ("unet", 2)):  # each in a process of its own, imported once
    child = os.fork()
    if child == 0:
        run(name, last)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder with the states of two fits that were killed after an epoch."""
    folder = tmp_path_factory.mktemp("killed")
    tests = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", KILLED, tests, str(folder), str(torch.get_num_threads())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


def weights(net):
    return {name: value.numpy().tobytes() for name, value in net.nets.state_dict().items()}


@pytest.mark.parametrize(("name", "epoch"), [("dense", 1), ("unet", 2)])
def test_kill_9_and_run_again_gives_the_same_bits(killed, name, epoch):
    """Weights, curve and predictions are those of a fit that nothing ended."""
    path = killed / f"{name}.pt"
    assert path.is_file()
    material = material_for(name)
    seen = []
    fit = {"checkpoint": path, "progress": lambda epoch: seen.append(epoch.number)}
    again = fitted_net(name, material, epochs=3, members=2, fit=fit)
    whole = fitted_net(name, material, epochs=3, members=2)
    assert seen == list(range(epoch + 1, 4))
    assert weights(again) == weights(whole)
    assert again.curve == whole.curve
    assert again.facts == whole.facts
    index = np.arange(50)
    np.testing.assert_array_equal(again.predict(material, index), whole.predict(material, index))


def test_a_finished_fit_is_read_and_not_run_again(tmp_path):
    path = tmp_path / "state.pt"
    material = material_for("dense")
    first = fitted_net("dense", material, fit={"checkpoint": path})
    seen = []
    fit = {"checkpoint": path, "progress": seen.append}
    assert weights(fitted_net("dense", material, fit=fit)) == weights(first)
    assert seen == []


@pytest.mark.parametrize("change", ["seed", "settings", "cells", "data"])
def test_the_state_of_another_fit_is_replaced(tmp_path, change):
    """Another seed, setting, choice of cells or value of a feature makes another fit."""
    path = tmp_path / "state.pt"
    material = material_for("dense")
    fitted_net("dense", material, fit={"checkpoint": path})
    options = {
        "seed": {"seed": 1}, "settings": {"dropout": 0.2}, "data": {},
        "cells": {"train": np.arange(1, 101)},
    }[change]  # fmt: skip
    other = material_for("dense", seed=1) if change == "data" else material
    seen = []
    fit = {"checkpoint": path, "progress": seen.append}
    again = fitted_net("dense", other, fit=fit, **options)
    assert len(seen) == 2
    assert weights(again) == weights(fitted_net("dense", other, **options))
    del seen[:]
    fitted_net("dense", other, fit=fit, **options)
    assert seen == []


class Evil:
    """What a pickle could do."""

    def __reduce__(self):
        return (Path("/nowhere/evil").touch, ())


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "pickle"])
def test_a_broken_file_is_replaced_and_never_run(tmp_path, kind):
    path = tmp_path / "state.pt"
    material = material_for("dense")
    fitted_net("dense", material, fit={"checkpoint": path})
    content = {
        "empty": b"", "text": b"no state at all", "cut": path.read_bytes()[:1000],
        "pickle": pickle.dumps({"digest": Evil()}),
    }[kind]  # fmt: skip
    path.write_bytes(content)
    seen = []
    fitted_net("dense", material, fit={"checkpoint": path, "progress": seen.append})
    assert len(seen) == 2
    assert Checkpoint(path, "another").load() is None
    assert torch.load(path, weights_only=True)["best"] in (1, 2)


def test_nothing_is_left_beside_the_state(tmp_path):
    fitted_net("dense", material_for("dense"), fit={"checkpoint": tmp_path / "state.pt"})
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_digests_tell_arrays_of_other_shapes_and_types_apart():
    one = np.arange(6, dtype=np.float32)
    digests = {
        digest_of(values, [array])
        for values in (1, "1")
        for array in (one, one.reshape(2, 3), one.astype(np.float64), one + 1)
    }
    assert len(digests) == 8
