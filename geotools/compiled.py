"""compiled, kept_loop: machine code of our loops; the one place that imports numba and llvmlite.

Importing numba and its kept code takes 0.8 s, so modules that hold loops are imported when
called, and loops that short runs need are kept as plain machine code, which takes 0.1 s.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

__all__ = ["KeptLoop", "compiled"]

_Loop = TypeVar("_Loop", bound=Callable[..., Any])

_FORMAT = "geotools-loop-1"
"""First line of a file of machine code; another number when what follows changes."""

_preparing = threading.Lock()
"""LLVM is asked by one thread at a time."""

_LIBRARY = frozenset(
    ("atan", "atan2", "atanf", "hypot", "memcpy", "memmove", "memset", "sqrt", "sqrtf", "tan")
)
"""Functions of the C library that kept code may call."""

_NO_OWNER = "define void @NRT_MemInfo_call_dtor(ptr %owner) { ret void }"
"""What numba calls when the last view of an array is gone; ours have owners it does not know."""

_MATH = re.compile(r"llvm\.(a?sinh?|a?cosh?|a?tanh?|atan2|exp|log|pow|fmod|cbrt)")
"""What LLVM may turn into calls of the C library that cannot be told beforehand."""


def compiled(**options: Any) -> Callable[[_Loop], _Loop]:
    """A decorator: machine code without Python's lock, kept on disk where that is possible.

    Args:
        options: further ones of `numba.njit`.
    """
    from numba import njit

    decorate: Callable[[_Loop], _Loop] = njit(nogil=True, cache=_can_keep(), **options)
    return decorate


@cache
def _can_keep() -> bool:
    """True when numba finds a place for compiled code: beside the module, or under the home."""
    import numba

    try:
        numba.njit(cache=True)(_nothing)
    except RuntimeError:  # a read-only installation, and no home that can be written to
        return False
    return True


def _nothing() -> int:
    return 0


class KeptLoop:
    """A compiled loop whose machine code is kept on disk and called without importing numba.

    The first call with arguments of certain types compiles the loop by numba and keeps what LLVM
    makes of it; later processes load that by llvmlite alone. What cannot be kept (no place on
    disk, another system than Linux, a loop that allocates or raises) runs by numba, to the same
    result. Code is made anew when the loops' sources, llvmlite or the processor change.
    """

    def __init__(self, module: str, name: str) -> None:
        """Nothing is imported or compiled yet.

        Args:
            module: a module of loops; it and all modules `_*.py` beside it are its source.
            name: a function there, decorated with `compiled`, that returns None. It takes
                arrays (C-contiguous, writable), ints and floats.
        """
        self._module, self._name = module, name
        self.variants: dict[str, Callable[..., Any]] = {}
        """What runs, by the types of the arguments it takes."""

    def __call__(self, *arguments: Any) -> None:
        """Runs the loop."""
        types = " ".join(map(_type_name, arguments))
        run = self.variants.get(types)
        if run is None:
            with _preparing:
                run = self.variants.get(types) or self._prepare(types, arguments)
                self.variants[types] = run
        run(*arguments)

    def _prepare(self, types: str, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """The loop for these types: kept code, or numba's."""
        files = [] if "?" in types else self._files(types)
        for file in files:
            code = _read(file)
            if code is not None:
                return _Native(code)
        dispatcher: Callable[..., Any] = getattr(importlib.import_module(self._module), self._name)
        if files:
            try:
                made = _machine_code(dispatcher, arguments)
            except (AttributeError, RuntimeError):  # an llvmlite whose names or IR are others
                made = None
            if made is not None and any(_write(file, made) for file in files):
                return _Native(made)
        return dispatcher

    def _files(self, types: str) -> list[Path]:
        """Where the code may be: beside the module, else in the user's cache; none elsewhere."""
        found = importlib.util.find_spec(self._module)
        if not sys.platform.startswith("linux") or found is None or found.origin is None:
            return []
        source = Path(found.origin)
        if not source.is_file():  # in an archive
            return []
        from llvmlite import __version__, binding

        digest = hashlib.sha256(f"{_FORMAT} {self._name} {types} {__version__}".encode())
        digest.update(f"{binding.get_host_cpu_name()} {_features()}".encode())
        for file in sorted(source.parent.glob("_*.py")):
            digest.update(file.read_bytes())
        name = f"{source.stem}.{self._name}-{digest.hexdigest()[:24]}.loop"
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        folders = [source.parent / "__pycache__", Path(home) / "geotools"]
        return [folder / name for folder in folders if folder.is_absolute()]


@dataclass(frozen=True, slots=True)
class _Code:
    """A loop as it is kept."""

    name: str
    """Name of the function in the code."""
    symbols: tuple[str, ...]
    """Functions of the C library that it calls."""
    code: bytes
    """An object file."""


class _Native:
    """Machine code in memory, called as numba calls it."""

    def __init__(self, kept: _Code) -> None:
        from llvmlite import binding

        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
        self._engine.add_object_file(binding.ObjectFileRef.from_data(kept.code))
        self._engine.finalize_object()
        address = self._engine.get_function_address(kept.name)
        # Numba's convention: places for the result and for an exception, then the arguments;
        # a status comes back. ctypes lets go of Python's lock.
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32)(address)

    def __call__(self, *arguments: Any) -> None:
        nothing = ctypes.c_void_p()
        flat: list[Any] = [ctypes.byref(nothing), ctypes.byref(nothing)]
        for argument in arguments:
            flat += _flat(argument)
        status = self._function(*flat)
        if status:
            raise RuntimeError(f"A compiled loop ended with status {status}.")


def _type_name(argument: Any) -> str:
    """Type of an argument as far as code depends on it; ? when kept code cannot take it."""
    if isinstance(argument, np.ndarray):
        if not (
            argument.flags.c_contiguous and argument.flags.writeable and argument.flags.aligned
        ):
            return "?"
        return f"{argument.dtype.str}{argument.ndim}"
    if isinstance(argument, np.float32):
        return "float32"
    return {int: "int", float: "float"}.get(type(argument), "?")


def _flat(argument: Any) -> list[Any]:
    """An argument as numba passes it: arrays by owner, sizes, place, shape and strides."""
    if isinstance(argument, np.ndarray):
        numbers = (argument.size, argument.itemsize)
        return [
            ctypes.c_void_p(), ctypes.c_void_p(), *map(ctypes.c_int64, numbers),
            ctypes.c_void_p(argument.ctypes.data),
            *map(ctypes.c_int64, argument.shape), *map(ctypes.c_int64, argument.strides),
        ]  # fmt: skip
    if isinstance(argument, np.float32):
        return [ctypes.c_float(float(argument))]
    return [ctypes.c_int64(argument) if isinstance(argument, int) else ctypes.c_double(argument)]


def _machine_code(dispatcher: Any, arguments: tuple[Any, ...]) -> _Code | None:
    """Machine code of the loop for such arguments; None when it needs numba to run."""
    import numba
    from llvmlite import binding

    signature = tuple(map(numba.typeof, arguments))
    # Numba does not show what it had kept itself: compile once more.
    options = {
        name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"
    }
    dispatcher = numba.njit(**options)(dispatcher.py_func)
    dispatcher.compile(signature)
    name: str = dispatcher.overloads[signature].fndesc.llvm_func_name
    module = binding.parse_assembly(dispatcher.inspect_llvm(signature))
    module.link_in(binding.parse_assembly(_NO_OWNER))
    for function in module.functions:  # what only Python calls goes, and with it what that needs
        if not function.is_declaration and function.name != name:
            function.linkage = "internal"
    machine = _machine()
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    tuning = binding.create_pipeline_tuning_options()
    passes.run(module, binding.create_pass_builder(machine, tuning))
    needed = [
        value.name
        for value in (*module.functions, *module.global_variables)
        if value.is_declaration
    ]
    if any(_MATH.match(symbol) for symbol in needed):
        return None
    symbols = tuple(symbol for symbol in needed if not symbol.startswith("llvm."))
    if not set(symbols) <= _LIBRARY or not _at_hand(symbols):
        return None
    return _Code(name, symbols, machine.emit_object(module))


def _at_hand(symbols: tuple[str, ...]) -> bool:
    """True when all of these are in the process; LLVM ends it when one is missing."""
    process = ctypes.CDLL(None)
    return all(hasattr(process, symbol) for symbol in symbols)


def _machine() -> Any:
    """LLVM's description of this processor, as numba sets it; an engine takes it for its own."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=_features(), opt=3, codemodel="jitdefault"
    )


@cache
def _features() -> str:
    """What instructions this processor has."""
    from llvmlite import binding

    features: str = binding.get_host_cpu_features().flatten()
    return features


def _read(file: Path) -> _Code | None:
    """The code in a file that `_write` made, whole and fit to run here; None otherwise."""
    try:
        head, _, code = file.read_bytes().partition(b"\n")
        kind, digest, name, *symbols = head.decode().split(" ")
    except (OSError, ValueError):
        return None
    whole = kind == _FORMAT and digest == hashlib.sha256(code).hexdigest()
    return _Code(name, tuple(symbols), code) if whole and _at_hand(tuple(symbols)) else None


def _write(file: Path, made: _Code) -> bool:
    """True when the code is on disk, whole: written beside its place and renamed."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}")
    digest = hashlib.sha256(made.code).hexdigest()
    head = " ".join((_FORMAT, digest, made.name, *made.symbols))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(head.encode() + b"\n" + made.code)
        os.replace(temporary, file)
    except OSError:
        temporary.unlink(missing_ok=True)
        return False
    return True
