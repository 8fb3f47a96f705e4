"""What a process of ours sets before any library reads it, holds, and how it ends with another."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from pathlib import Path

__all__ = [
    "end_at_eof",
    "end_with",
    "limit_memory",
    "prepare",
    "resident_bytes",
    "settings",
    "trim_memory",
]

_SETTINGS = {
    "GDAL_CACHEMAX": "48",  # MB; GDAL's own default is a share of all memory
    "GDAL_SKIP": "WMS,WMTS,WCS,PLMOSAIC,EEDA,EEDAI,HTTP,STACTA,STACIT,GTI,DAAS",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",  # no network, whatever a file names
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
}

_DEATH_OF_PARENT = 1
"""PR_SET_PDEATHSIG of <linux/prctl.h>."""


_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's <malloc.h>."""


def settings() -> dict[str, str]:
    """What GDAL reads from the environment: the user's where there is some, else ours."""
    return {name: os.environ.get(name, value) for name, value in _SETTINGS.items()}


def prepare() -> None:
    """Sets it in this process, and gives its threads an arena of memory for each core.

    glibc allows eight, and every thread keeps what it freed in its own: a map of 8192 x 8192 cells
    took 40 MB more so, and no less time. As a process ends, Python looks through all objects that
    it has, for 0.05 s with our libraries: not through frozen ones.
    """
    os.environ.update(settings())
    atexit.register(gc.freeze)
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, max(2, os.cpu_count() or 1))


def end_with(parent: int) -> None:
    """The kernel kills this process when its parent ends, however that ends; on Linux alone.

    Args:
        parent: process id; where it has ended already, this process does too.
    """
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def end_at_eof() -> None:
    """Interrupts this process as Ctrl-C does, once, when its standard input is at its end.

    A program that starts this one keeps the other end of a pipe: it closes it to stop the work,
    and however it ends, the system closes it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & may have switched it off
    threading.Thread(target=_interrupt_at_eof, name="end at eof", daemon=True).start()


def _interrupt_at_eof() -> None:
    with contextlib.suppress(OSError):  # closed, or none from the start
        # Not sys.stdin, whose lock a thread that waits would keep while the interpreter ends.
        while os.read(0, 4096):
            pass
    if hasattr(signal, "pthread_kill"):  # the main thread may sleep in a call of the system
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


def limit_memory(size: int) -> None:
    """Memory beyond so many bytes is refused to this process; nothing where that cannot be set."""
    try:
        import resource
    except ImportError:  # elsewhere than on POSIX
        return
    # Address space that is only reserved, as allocators do for every thread, costs nothing.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (size, size))


def resident_bytes() -> int | None:
    """Memory that this process holds; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def trim_memory() -> None:
    """Gives freed memory back to the system, where the C library can."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another one than glibc
            ctypes.CDLL(None).malloc_trim(0)
