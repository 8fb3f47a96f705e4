"""geotools.inference.sessions: where graphs run."""

import contextlib
import gc
import threading
import weakref

import numpy as np
import onnxruntime as ort
import pytest
from onnx_bytes import image_model, neighbourhood_model

from geotools.errors import ModelError
from geotools.inference import sessions
from geotools.inference.augmented import augmented
from geotools.inference.ensemble import ensemble
from geotools.inference.model import Model, open_model
from geotools.inference.opening import open_any
from geotools.inference.sessions import (
    DEVICES,
    Session,
    SessionOptions,
    available_devices,
    choose_devices,
    make_session,
)
from geotools.inference.terms import ForeignSettings

ALL = tuple(DEVICES)


class FakeRuntime:
    """ONNX Runtime with devices that this machine has not: some start, some do not."""

    def __init__(self, there, *, failing=(), silent=()):
        self.there, self.failing, self.silent = there, failing, silent
        self.asked, self.settings = [], []

    def __getattr__(self, name):
        return getattr(ort, name)

    def get_available_providers(self):
        return [DEVICES[name] for name in self.there]

    def InferenceSession(
        self, content, settings, *, providers, enable_fallback, disabled_optimizers
    ):
        assert not enable_fallback
        names = [one if isinstance(one, str) else one[0] for one in providers]
        self.asked.append(providers)
        self.settings.append(settings)
        device = next(name for name in DEVICES if DEVICES[name] == names[0])
        if device in self.failing:
            raise RuntimeError("libcudart.so.13: no such file\nand a long trace")
        if device in self.silent:
            names = names[1:]
        real = ort.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
        real.get_providers = lambda: names
        return real


def use(monkeypatch, there, **more) -> FakeRuntime:
    fake = FakeRuntime(there, **more)
    monkeypatch.setattr(sessions, "ort", fake)
    return fake


@pytest.mark.parametrize(
    ("wanted", "there", "tried"),
    [
        ("auto", ("cpu",), ("cpu",)),
        ("auto", ("cuda", "tensorrt", "cpu"), ("cuda", "cpu")),
        ("auto", ("openvino", "cpu"), ("openvino", "cpu")),
        ("cpu", ALL, ("cpu",)),
        ("cuda", ALL, ("cuda", "cpu")),
        ("tensorrt", ALL, ("tensorrt", "cpu")),
    ],
)
def test_which_devices_are_tried(wanted, there, tried):
    """The best that is there, or the one that is named; the CPU last; TensorRT when named."""
    assert choose_devices(wanted, there) == tried


@pytest.mark.parametrize(("wanted", "words"), [("cuda", "is not available"), ("gpu", "is unknown")])
def test_a_device_that_is_not_there(wanted, words):
    """One sentence with what there is."""
    with pytest.raises(ModelError, match=rf"'{wanted}' {words}.*there are openvino, cpu"):
        choose_devices(wanted, ("openvino", "cpu"))


def test_this_machine_has_a_cpu():
    """It is among the devices, and what a model runs on says so."""
    assert available_devices()[-1] == "cpu"
    model = Model("m.onnx", neighbourhood_model(), SessionOptions(device="cpu"))
    assert model.device == "cpu"
    assert model.notes == ()
    assert augmented(model).device == ensemble([model, model]).device == "cpu"


def test_a_device_that_starts_is_named(monkeypatch):
    """The best one, with the CPU behind it for what it does not know, and its own settings."""
    fake = use(monkeypatch, ("cuda", "cpu"))
    model = Model("m.onnx", neighbourhood_model())
    assert model.device == "cuda"
    assert model.notes == ()
    (name, settings), behind = fake.asked[0]
    assert (name, behind) == (DEVICES["cuda"], DEVICES["cpu"])
    assert settings["use_tf32"] == "0"


@pytest.mark.parametrize("how", ["failing", "silent"])
def test_a_device_that_does_not_start_is_passed_over(monkeypatch, how, tmp_path):
    """Whether ONNX Runtime raises or quietly takes the CPU: the next device, and a sentence."""
    use(monkeypatch, ("cuda", "openvino", "cpu"), **{how: ("cuda",)})
    model = Model("m.onnx", neighbourhood_model())
    assert model.device == "openvino"
    (note,) = model.notes
    assert note.startswith("The device cuda is there and does not start for m.onnx (")
    assert "\n" not in note
    (tmp_path / "f.onnx").write_bytes(image_model(bands=1))
    foreign = open_any(
        tmp_path / "f.onnx", ForeignSettings(values=True, scale=1),
        options=SessionOptions(device="cuda"),
    )  # fmt: skip
    assert foreign.device == "cpu"
    assert "cuda" in foreign.notes[0]


def test_nothing_starts(monkeypatch):
    """A graph that no device takes is an error of one sentence."""
    use(monkeypatch, ("cuda", "cpu"), failing=("cuda", "cpu"))
    with pytest.raises(ModelError, match=r"m.onnx cannot be loaded \(libcudart"):
        make_session("m.onnx", neighbourhood_model())
    use(monkeypatch, ())
    with pytest.raises(ModelError, match="there is none"):
        make_session("m.onnx", b"", options=SessionOptions(device="cpu"))


def test_options_reach_the_session(monkeypatch, tmp_path):
    """Threads, spinning and optimisation; the defaults are those that were measured."""
    fake = use(monkeypatch, ("cpu",))
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    open_model(tmp_path / "m.onnx")
    open_model(
        tmp_path / "m.onnx", options=SessionOptions(threads=3, spinning=True, optimisation="basic")
    )
    spin = "session.intra_op.allow_spinning"
    levels = ort.GraphOptimizationLevel
    found = [
        (one.intra_op_num_threads, one.get_session_config_entry(spin), one.graph_optimization_level)
        for one in fake.settings
    ]
    assert found == [(1, "0", levels.ORT_ENABLE_ALL), (3, "1", levels.ORT_ENABLE_BASIC)]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"threads": 0}, "0 threads"), ({"optimisation": "fast"}, "none, basic, extended, all")],
)
def test_options_that_cannot_be(options, words):
    """One sentence."""
    with pytest.raises(ModelError, match=words):
        SessionOptions(**options)


def test_directml_takes_one_call_at_a_time():
    """Two threads that call wait for each other there, and nowhere else."""

    class Slow:
        def __init__(self):
            self.inside, self.most = 0, 0
            self.both = threading.Barrier(2, timeout=0.5)

        def run(self, names, inputs, options):
            self.inside += 1
            self.most = max(self.most, self.inside)
            with contextlib.suppress(threading.BrokenBarrierError):
                self.both.wait()
            self.inside -= 1
            return [np.zeros(1)]

    def most(device):
        slow = Slow()
        session = Session(slow, device, ())
        threads = [threading.Thread(target=session.run, args=(["y"], {})) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return slow.most

    assert (most("directml"), most("cpu")) == (1, 2)


@pytest.mark.parametrize("kind", [lambda m: m, lambda m: ensemble([m, m]), augmented])
def test_what_is_released_keeps_no_graph(kind, tmp_path):
    """Of a model, an ensemble and an augmented one: ONNX Runtime's session is gone."""
    path = tmp_path / "model.onnx"
    path.write_bytes(neighbourhood_model())
    model = open_model(path)
    held = weakref.ref(model._session._session)
    kind(model).release()
    gc.collect()
    assert held() is None
