"""build: a dataclass out of plain values, every error with the key and what is allowed there.

The dataclass is the schema: its annotations say which types, the metadata of its fields which
choices (`choices`) and limits (`low`, `high`, `above`). No file is opened here but the TOML.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import tomllib
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from geotools.errors import ConfigError, FileError, GeotoolsError

__all__ = ["any_number", "build", "one_of", "read_toml", "within"]

_LARGEST = 4_000_000
"""Bytes of a configuration at most."""

_T = TypeVar("_T")

_WORDS = {
    str: "text", Path: "a path", int: "a whole number", float: "a number", bool: "true or false",
    type(None): "nothing", datetime: "a date and time", date: "a date",
}  # fmt: skip


def one_of(*choices: str) -> dict[str, Any]:
    """Metadata of a field that takes one of these words."""
    return {"choices": choices}


def within(
    low: float | None = None, high: float | None = None, *, above: float | None = None
) -> dict[str, Any]:
    """Metadata of a field whose numbers are at least `low`, more than `above`, at most `high`."""
    return {"low": low, "high": high, "above": above}


def any_number() -> dict[str, Any]:
    """Metadata of a field whose numbers may be infinite, or NaN."""
    return {"finite": False}


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The plain values in a TOML file.

    Raises:
        FileError: no such file, or it cannot be read.
        ConfigError: not TOML.
    """
    file = Path(path)
    try:
        if file.exists() and not file.is_file():
            raise FileError(f"The configuration {file} is no file: give a TOML file.")
        if file.exists() and file.stat().st_size > _LARGEST:
            raise ConfigError(
                f"{file} is larger than {_LARGEST:,} bytes, which no configuration is: give a "
                "small TOML file."
            )
        return tomllib.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise FileError(f"The configuration {file} does not exist: check the path.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is no text in UTF-8: give a TOML file.") from None
    except RecursionError:
        raise ConfigError(f"{file} is nested too deeply: give a plain TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML ({error}): mend that line.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        if isinstance(error, GeotoolsError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise FileError(
            f"The configuration {str(file)[:120]!r} cannot be read ({reason}): check the path."
        ) from None


def build(kind: type[_T], values: Mapping[str, Any], where: str) -> _T:
    """The dataclass `kind` with these values.

    Args:
        kind: a dataclass; fields without a default are needed.
        values: as from TOML.
        where: what messages call the place, such as "glacier.toml, [labels]".

    Raises:
        ConfigError: an unknown key, one that is missing, a value of another type or out of range.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {_shown(values)}: a table of keys is needed.")
    fields = {item.name: item for item in dataclasses.fields(kind) if item.init}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, 1)
            hint = f"did you mean {near[0]!r}? Known" if near else "known"
            raise ConfigError(
                f"{where} has the unknown key {key!r}: {hint} are {', '.join(fields)}."
            )
    hints = get_type_hints(kind)
    made = {}
    for name, item in fields.items():
        if name in values:
            made[name] = _value(values[name], hints[name], item.metadata, f"{where}: {name}")
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{where} lacks the key {name!r}: {_wanted(hints[name], item)}.")
    return kind(**made)


def _wanted(hint: Any, item: dataclasses.Field[Any]) -> str:
    choices = item.metadata.get("choices")
    return f"give one of {', '.join(choices)}" if choices else f"give {_name(hint)}"


def _value(value: Any, hint: Any, metadata: Mapping[str, Any], where: str) -> Any:
    """The value as the annotation has it."""
    options = _options(hint)
    fitting = next((one for one in options if _fits(value, one)), None)
    if fitting is None:
        names = " or ".join(_name(one) for one in options if one is not type(None))
        raise ConfigError(f"{where} is {_shown(value)}: give {names}.")
    origin = get_origin(fitting)
    if dataclasses.is_dataclass(fitting):
        if isinstance(value, fitting):  # type: ignore[arg-type]
            return value
        return build(fitting, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        return tuple(
            _value(one, inner, metadata, where)
            for one, inner in zip(value, _inner(fitting, value), strict=True)
        )
    if origin is not None and issubclass(origin, Mapping):
        inner = get_args(fitting)[1]
        return {
            str(key): _value(one, inner, metadata, f"{where}.{key}") for key, one in value.items()
        }
    if isinstance(value, int) and fitting is float:
        value = float(value)
    _check(value, metadata, where)
    return Path(value) if fitting is Path else value


def _check(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    choices = metadata.get("choices")
    if choices and isinstance(value, str) and value not in choices:
        near = difflib.get_close_matches(value, choices, 1)
        hint = f"did you mean {near[0]!r}? Allowed" if near else "allowed"
        raise ConfigError(f"{where} is {value!r}: {hint} are {', '.join(choices)}.")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    low, high, above = (metadata.get(name) for name in ("low", "high", "above"))
    wrong = (
        (not math.isfinite(value) and metadata.get("finite", True))
        or (low is not None and value < low)
        or (high is not None and value > high)
        or (above is not None and value <= above)
    )
    if wrong:
        raise ConfigError(f"{where} is {value:g}: give {_range(low, high, above)}.")


def _range(low: float | None, high: float | None, above: float | None) -> str:
    parts = []
    if above is not None:
        parts.append(f"more than {above:g}")
    if low is not None:
        parts.append(f"at least {low:g}")
    if high is not None:
        parts.append(f"at most {high:g}")
    return "a number " + " and ".join(parts) if parts else "a finite number"


def _options(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, types.UnionType):
        return get_args(hint)
    return (hint,)


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return isinstance(value, (Mapping, hint))  # type: ignore[arg-type]
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        if not isinstance(value, Sequence) or isinstance(value, str):
            return False
        inner_hints = _inner(hint, value)
        return len(inner_hints) == len(value) and all(
            any(_fits(one, option) for option in _options(inner))
            for one, inner in zip(value, inner_hints, strict=True)
        )
    if origin is not None and issubclass(origin, Mapping):
        inner = _options(get_args(hint)[1])
        return isinstance(value, Mapping) and all(
            any(_fits(one, option) for option in inner) for one in value.values()
        )
    if hint is Path:
        return isinstance(value, str | Path)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint is Any or isinstance(value, origin or hint)


def _inner(hint: Any, value: Sequence[Any]) -> tuple[Any, ...]:
    """The annotation of every item of a tuple, of any length or of a fixed one."""
    inner = get_args(hint)
    return (inner[0],) * len(value) if inner[1:] == (...,) else inner


def _name(hint: Any) -> str:
    origin = get_origin(hint)
    if len(_options(hint)) > 1:
        return " or ".join(_name(one) for one in _options(hint) if one is not type(None))
    if origin is tuple:
        return f"a list of {_name(get_args(hint)[0]).removeprefix('a ')}"
    if dataclasses.is_dataclass(hint) or (origin is not None and issubclass(origin, Mapping)):
        return "a table of keys"
    if origin is Literal:
        return " or ".join(repr(one) for one in get_args(hint))
    return _WORDS.get(hint, str(hint))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
