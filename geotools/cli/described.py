"""The whole command line as plain values, for programs that offer it in their own way.

Nothing here says how a command works: names, flags, defaults and help are those of the commands.
"""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.reporting import SCHEMA
from geotools.version import VERSION

__all__ = ["describe_commands"]


def describe_commands(context: click.Context) -> dict[str, Any]:
    """Every command of the group of `context`, by name; those of groups as `evaluate map`.

    A command has `help`, `arguments` and `options`. A default of None means that the command
    decides by itself, as its help says.
    """
    found: dict[str, Any] = {}
    _collect(context, "", found)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "commands": found,
    }


def _collect(context: click.Context, prefix: str, found: dict[str, Any]) -> None:
    group = context.command
    assert isinstance(group, click.Group)  # noqa: S101  asked of groups alone
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, parent=context, info_name=name)
        if isinstance(command, click.Group):
            _collect(inner, f"{prefix}{name} ", found)
            continue
        found[prefix + name] = {
            "help": command.help or "",
            "arguments": [
                _parameter(one) for one in command.params if isinstance(one, click.Argument)
            ],
            "options": [
                _parameter(one) | {"flags": list(one.opts), "help": one.help or ""}
                for one in command.params
                if isinstance(one, click.Option)
            ],
        }


def _parameter(parameter: click.Parameter) -> dict[str, Any]:
    described = parameter.to_info_dict()
    kind = described["type"]
    default = parameter.default
    if described.get("is_flag"):
        default = bool(default) if isinstance(default, bool) else False
    elif isinstance(default, tuple):
        default = list(default)
    elif not isinstance(default, str | int | float):  # click's mark of no default
        default = None
    return {
        "name": described["name"],
        "type": "flag" if described.get("is_flag") else str(kind["name"]),
        "choices": list(kind.get("choices", ())),
        "least": kind.get("min"),
        "most": kind.get("max"),
        "default": default,
        "required": described["required"],
        "multiple": bool(described.get("multiple")),
        "values": described["nargs"],
        "metavar": parameter.metavar or "",
    }
