"""geotools.inference.limits: runs that take too long."""

import threading

import numpy as np
import pytest
from onnx_bytes import image_model, integers, model, node

from geotools.errors import ModelError
from geotools.inference.foreign import ForeignSettings
from geotools.inference.limits import RunLimit
from geotools.inference.opening import open_any
from geotools.inference.sessions import make_session

SIDE = 700


def endless(*, constant: bool, steps: int = 2000) -> bytes:
    """A graph of 2,000 products of matrices, some ten minutes on one core."""
    first = [node("ConstantOfShape", ["s"], ["m0"])]
    if not constant:
        first = [
            node("ReduceMax", ["image"], ["m"], keepdims=0),
            node("Expand", ["m", "s"], ["m0"]),
        ]
    products = [node("MatMul", [f"m{n}", "m0"], [f"m{n + 1}"]) for n in range(steps)]
    last = [
        node("ReduceMax", [f"m{steps}"], ["most"], keepdims=0),
        node("Add", ["image", "most"], ["y"]),
    ]
    shape = {"image": [1, 1, 64, 64]}, {"y": [1, 1, 64, 64]}
    return model([*first, *products, *last], [integers("s", [SIDE, SIDE])], *shape, {})


@pytest.mark.parametrize("constant", [False, True])
def test_a_run_without_an_end_is_stopped(tmp_path, constant):
    """Also where all of the work could be done before the first run."""
    path = tmp_path / "long.onnx"
    path.write_bytes(endless(constant=constant))
    settings = ForeignSettings(scale=1.0, values=True, run_limit_s=0.2)
    with pytest.raises(ModelError, match=r"long\.onnx has been stopped: .* more than 0\.2 s"):
        open_any(path, settings)


def test_honest_runs_end_by_themselves():
    """From several threads at once; afterwards nothing is watched."""
    session = make_session("x", image_model(), limited=True)
    limit = RunLimit(60.0)
    block = np.ones((1, 3, 64, 64), np.float32)
    given = []

    def run() -> None:
        given.extend(limit.run(session, ["out1"], {"image": block})[0] for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 80
    assert all(np.allclose(one, 1) for one in given)
    assert not limit._running


def test_what_onnx_runtime_refuses_is_no_matter_of_time():
    """Its error comes through as it is."""
    session = make_session("x", image_model(), limited=True)
    with pytest.raises(Exception, match="invalid dimensions"):
        RunLimit(60.0).run(session, ["out1"], {"image": np.ones((1, 2, 64, 64), np.float32)})


def test_no_time_at_all_is_refused():
    """A limit is above 0."""
    with pytest.raises(ModelError, match="--run-limit above 0"):
        RunLimit(0)
