"""The command line: the same words as the API, one file per command, each loaded when called.

Exit codes: 0 done, 1 an error in one sentence, 2 wrong usage, 3 partly done (some inputs
of a batch failed), 130 cancelled. Any other exception is a bug and shows its traceback.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from types import FrameType
from typing import Any

import click

from geotools.errors import GeotoolsError, PartialError, Terminated
from geotools.process import end_at_eof, prepare
from geotools.version import VERSION

__all__ = ["main"]

_COMMANDS = {
    "batch": "Map many inputs as a TOML says: what is missing, with one report.",
    "demo": "Map a real DEM and real earthquakes, to see what the rest does.",
    "doctor": "Say what is installed and whether it works.",
    "evaluate": "Test forecasts against what happened, and maps against labels.",
    "events": "Write an earthquake catalog as a styled layer of points.",
    "export": "Write a trained model as another program takes it.",
    "forecast": "Map the expected number of earthquakes after the events of a catalog.",
    "info": "Say what is in a raster, a layer, a catalog or a model.",
    "landforms": "Map the landforms of an elevation model.",
    "merge": "Write the outputs of a job that was run in shards.",
    "predict": "Map what any ONNX model says of rasters, or of a table.",
    "seismicity": "Map rates, b-values and the like of an earthquake catalog.",
    "train": "Learn from your own labels: a model, and how good it is.",
    "terrain": "Write slope, aspect, curvature and other attributes of an elevation model.",
    "verify": "Say whether files are still what they were when they were written.",
}
"""Name and one line of help, so that `--help` need not import the commands."""


class _Commands(click.Group):
    """The commands, imported one by one when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"geotools.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


def _help_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from geotools.cli.described import describe_commands

    print(json.dumps(describe_commands(context), ensure_ascii=False))
    context.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="geotools")
@click.option(
    "--help-json", is_flag=True, is_eager=True, expose_value=False, callback=_help_json,
    help="Print every command with its options and defaults as one JSON object and end.",
)  # fmt: skip
@click.option(
    "--stop-on-eof", is_flag=True,
    help="End as Ctrl-C does when standard input is closed, as by a program that has ended.",
)  # fmt: skip
def cli(stop_on_eof: bool) -> None:
    """From elevation models and earthquake catalogs to maps."""
    if stop_on_eof:
        end_at_eof()


def main() -> None:
    """Runs the command line and exits."""
    _prepare()
    try:
        code = cli.main(prog_name="geotools", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except GeotoolsError as error:
        _tell(str(error))
        code = 3 if isinstance(error, PartialError) else 1
    except (KeyboardInterrupt, click.Abort) as error:
        kept = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        _tell(f"Cancelled: no output is half written.{kept}")
        code = 130
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _tell(sentence: str) -> None:
    """Shows an error the way the command that ran tells of everything."""
    from geotools.cli.reporting import show_error

    with contextlib.suppress(BrokenPipeError):  # nobody is there to be told
        show_error(sentence)


def _prepare() -> None:
    """Settings of this process, before any library reads them."""
    prepare()
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> Any:
    """A polite kill ends as Ctrl-C does, but units of a job that are done stay."""
    raise Terminated
