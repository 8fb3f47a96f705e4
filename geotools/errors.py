"""The errors that geotools raises on purpose, each also a builtin; anything else is a bug.

::

    GeotoolsError
    ├── GridError (ValueError)             a place that cannot be: size, transform, CRS
    ├── RasterError (ValueError)           pixels that cannot be used as asked
    ├── EventsError (ValueError)           an event table that breaks its schema
    ├── ModelError (ValueError)            a model file, or its spec, that cannot be used
    ├── ConfigError (ValueError)           a configuration with a key or a value that cannot be
    ├── LabelsError (ValueError)           labels that nothing can be learned from
    ├── FileError (OSError)                a path that cannot be read or written
    ├── PartialError (RuntimeError)        some of the work failed, the rest is done and kept
    └── MissingExtraError (ImportError)    an optional dependency that is not installed

A message is one sentence that names what, where and what to do; the command line prints it and
exits with 1, or with 3 when a part is done.
"""

__all__ = [
    "ConfigError",
    "EventsError",
    "FileError",
    "GeotoolsError",
    "GridError",
    "LabelsError",
    "MissingExtraError",
    "ModelError",
    "PartialError",
    "RasterError",
    "Terminated",
]


class GeotoolsError(Exception):
    """Any error that geotools raises on purpose."""


class GridError(GeotoolsError, ValueError):
    """A window, grid or tile scheme that cannot be."""


class RasterError(GeotoolsError, ValueError):
    """Pixels that cannot be used as asked."""


class EventsError(GeotoolsError, ValueError):
    """An event table that breaks its schema."""


class ModelError(GeotoolsError, ValueError):
    """A model file, or its spec, that cannot be used."""


class ConfigError(GeotoolsError, ValueError):
    """A configuration with a key or a value that cannot be."""


class LabelsError(GeotoolsError, ValueError):
    """Labels that nothing can be learned from."""


class FileError(GeotoolsError, OSError):
    """A path that cannot be read or written."""


class PartialError(GeotoolsError, RuntimeError):
    """Some of the work failed; the rest is done and kept."""


class MissingExtraError(GeotoolsError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed: run  pip install 'geotools-ml[{extra}]'  and try again."
        )


class Terminated(KeyboardInterrupt):
    """The process was asked to end by others than its user (SIGTERM): work that is done is kept."""
