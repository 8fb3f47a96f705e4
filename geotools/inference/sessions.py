"""make_session: a graph ready to run, on the best device that there is or on one that is named.

What ONNX Runtime calls execution providers are devices here. What a model is, and whether its
graph may be loaded at all, is in `model` and `gate`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort

from geotools.errors import ModelError

__all__ = [
    "DEVICES",
    "Session",
    "SessionOptions",
    "available_devices",
    "choose_devices",
    "make_session",
    "runtime_version",
    "session_options",
]

DEVICES: Mapping[str, str] = {
    "cuda": "CUDAExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Names of ONNX Runtime's providers by ours, the best first; the CPU is always last."""

_ON_REQUEST = ("tensorrt",)
"""Not taken by itself: it builds an engine for every shape of block, which takes minutes."""

_PROVIDER_OPTIONS: Mapping[str, Mapping[str, str]] = {
    # TF32 keeps 10 bits of a float32; an exhaustive search is repeated for every shape.
    "cuda": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}

_LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}

_MEMORY_BYTES = 4 * 2**30
"""What a foreign graph may take where the machine's memory is not known."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Where and how graphs run; the defaults are what was measured to be best on a CPU.

    Nets of 0.45 M parameters on two cores (CPU-seconds per cell): one session that two threads
    call cost 1.02 of one thread alone, two threads inside 1.08 to 1.26, and 1.1 to 1.8 when they
    spin while they wait; optimisation below `all` cost 1.4.
    """

    device: str = "auto"
    """A key of `DEVICES`, or `auto`: the best that is installed and starts."""
    threads: int = 1
    """Threads inside one call, on the CPU; several tiles at once are faster than several of these.
    """
    spinning: bool = False
    """Threads inside a call wait by spinning, which takes from those that work."""
    optimisation: str = "all"
    """How far graphs are rewritten when they are loaded: `none`, `basic`, `extended`, `all`."""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 1024:
            raise ModelError(f"{self.threads} threads in one call: give 1 to 1024.")
        if self.optimisation not in _LEVELS:
            raise ModelError(
                f"Optimisation {self.optimisation!r} is unknown: give {', '.join(_LEVELS)}."
            )


def session_options(device: str | SessionOptions) -> SessionOptions:
    """The options themselves, or the usual ones on a device."""
    return device if isinstance(device, SessionOptions) else SessionOptions(device=device)


class Session:
    """A graph of ONNX Runtime on one device; `run` may be called from several threads."""

    def __init__(self, session: Any, device: str, notes: tuple[str, ...]) -> None:
        self._session = session
        self.device = device
        """Where it runs, a key of `DEVICES`."""
        self.notes = notes
        """A sentence for every better device that did not start."""
        # DirectML takes one call at a time.
        self._lock: Any = threading.Lock() if device == "directml" else contextlib.nullcontext()

    def run(
        self, names: Sequence[str], inputs: Mapping[str, Any], options: Any = None
    ) -> list[Any]:
        """The outputs of these names; `options` are ONNX Runtime's for one call."""
        with self._lock:
            return list(self._session.run(list(names), dict(inputs), options))

    def release(self) -> None:
        """Gives back the graph and the memory of its runs, often more than a gigabyte.

        Nothing can be run or asked any more.
        """
        self._session = None

    def get_inputs(self) -> list[Any]:
        """Name, type and shape of each input."""
        return list(self._session.get_inputs())

    def get_outputs(self) -> list[Any]:
        """Name, type and shape of each output."""
        return list(self._session.get_outputs())

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says beside its graph."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


def available_devices() -> tuple[str, ...]:
    """The devices that ONNX Runtime was built for as it is installed here, the best first."""
    there = set(ort.get_available_providers())
    return tuple(name for name, provider in DEVICES.items() if provider in there)


def runtime_version() -> str:
    """The version of ONNX Runtime."""
    return str(ort.__version__)


def choose_devices(wanted: str, available: Sequence[str]) -> tuple[str, ...]:
    """The devices to try, one after the other; the CPU is the last.

    Args:
        wanted: a device, or `auto`.
        available: as from `available_devices`.

    Raises:
        ModelError: it is unknown, or not there.
    """
    if wanted == "auto":
        return tuple(name for name in available if name not in _ON_REQUEST)
    if wanted not in available:
        there = f"there are {', '.join(available)}" if available else "there is none"
        known = "is not available here" if wanted in DEVICES else "is unknown"
        raise ModelError(f"The device {wanted!r} {known}: {there}; give one of these, or auto.")
    return (wanted,) if wanted == "cpu" else (wanted, "cpu")


def make_session(
    name: str,
    content: bytes,
    *,
    limited: bool = False,
    options: SessionOptions | None = None,
) -> Session:
    """A session of ONNX Runtime.

    A device that is there and does not start is passed over, with a sentence in the session's
    notes.

    Args:
        name: what messages call the model.
        content: its bytes.
        limited: refuse what needs more than half of the machine's memory, instead of trying, and
            compute nothing before the first run.
        options: device, threads and the like.

    Raises:
        ModelError: ONNX Runtime cannot load it, or the device is not there.
    """
    options = options or SessionOptions()
    devices = choose_devices(options.device, available_devices())
    notes: list[str] = []
    for device in devices:
        try:
            session = _start(content, device, options, limited=limited)
        except Exception as error:  # ONNX Runtime's errors share no public base class
            if device == devices[-1]:
                raise ModelError(
                    f"The model {name} cannot be loaded ({_line(error)}): give an .onnx file that "
                    "ONNX Runtime reads."
                ) from None
            why = _line(error)
        else:
            # Where a library is missing ONNX Runtime says so in its log, and takes the CPU.
            if DEVICES[device] in session.get_providers():
                return Session(session, device, tuple(notes))
            why = "ONNX Runtime has taken another one"
        notes.append(
            f"The device {device} is there and does not start for {name} ({why}): the next one is "
            "taken; check its driver and libraries, or give the device cpu."
        )
    raise ModelError(f"ONNX Runtime has no CPU for the model {name}: install onnxruntime anew.")


def _start(content: bytes, device: str, options: SessionOptions, *, limited: bool) -> Any:
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry(
        "session.intra_op.allow_spinning", "1" if options.spinning else "0"
    )
    settings.graph_optimization_level = _LEVELS[options.optimisation]
    settings.log_severity_level = 4
    # Else bytes that are a model to the gate may be something else to ONNX Runtime.
    settings.add_session_config_entry("session.load_model_format", "ONNX")
    unwanted = []
    # A plan of all memory ahead takes half as much again when two threads call (2.3 GB instead of
    # 1.6 for two tiles of 1128 x 1128 cells through 0.07 M parameters), and is no faster.
    settings.enable_mem_pattern = False
    if limited:
        _share_limited_memory()
        settings.add_session_config_entry("session.use_env_allocators", "1")
        # It would run the constant parts of the graph now, where no limit of time ends them.
        unwanted.append("ConstantFolding")
    providers: list[Any] = [(DEVICES[device], dict(_PROVIDER_OPTIONS.get(device, {})))]
    if device != "cpu":
        providers.append(DEVICES["cpu"])  # for operators that the device does not know
    # Its own way back to the CPU prints to stdout, and forgets the options.
    return ort.InferenceSession(
        content, settings, providers=providers, enable_fallback=0, disabled_optimizers=unwanted
    )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


@functools.cache
def _share_limited_memory() -> None:
    """Gives sessions that ask for it one arena of half of the machine's memory."""
    place = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    half = _MEMORY_BYTES
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not on Windows
        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    # Extended by what is asked for, not by powers of two, which would pass the limit early.
    limits = ort.OrtArenaCfg({"max_mem": half, "arena_extend_strategy": 1})
    with contextlib.suppress(Exception):  # somebody else in this process has registered one
        ort.create_and_register_allocator(place, limits)
