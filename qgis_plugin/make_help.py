"""Writes the help pages of the plugin, `geotools_qgis/help/*.html`, one for each algorithm.

Run by any Python when a definition has changed: `python qgis_plugin/make_help.py`.
"""

from __future__ import annotations

import html
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "geotools_qgis" / "help"

sys.path.insert(0, str(HERE))

from geotools_qgis.definitions import DEFINITIONS  # noqa: E402 - the plugin is no package of ours
from geotools_qgis.definitions.option import GROUPS, OUTPUTS, Definition, Option  # noqa: E402

_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:56em;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{padding:.3em .8em .3em 0;vertical-align:top;text-align:left;"
    "border-bottom:1px solid #ddd}code{background:#f3f3f3}"
)


def pages() -> dict[str, str]:
    """HTML by name of the file: every algorithm, and a list of them."""
    return {"index.html": _index(), **{f"{one.name}.html": _page_of(one) for one in DEFINITIONS}}


def _page_of(definition: Definition) -> str:
    made = [one for one in definition.options if one.kind in (*OUTPUTS, "page_out")]
    asked = [one for one in definition.options if one not in made]
    twin = " ".join(definition.command)
    figures = "".join(
        f"<tr><td>{_text(one.label)}</td><td><code>{one.name}</code></td></tr>"
        for one in definition.figures
    )
    return _page(
        definition.title,
        f"<p>{_text(definition.about)}</p>"
        f"<h2>What it takes</h2>{_table(asked)}"
        + (f"<h2>What it makes</h2>{_table(made)}" if made else "")
        + (f"<h2>Figures for other steps of a model</h2><table>{figures}</table>" * bool(figures))
        + "<h2>Without a desktop</h2>"
        f"<p><code>qgis_process run geotools:{definition.name}</code> takes these names as "
        f"<code>--NAME=VALUE</code>; <code>geotools {twin} --help</code> tells of the command line."
        '</p><p><a href="index.html">All algorithms</a></p>',
    )


def _index() -> str:
    parts = []
    for group, title in GROUPS.items():
        entries = "".join(
            f'<li><a href="{one.name}.html">{_text(one.title)}</a></li>'
            for one in DEFINITIONS
            if one.group == group
        )
        parts.append(f"<h2>{_text(title)}</h2><ul>{entries}</ul>")
    return _page("geotools in QGIS", "".join(parts))


def _table(options: list[Option]) -> str:
    head = "<tr><th></th><th>Name</th><th>On the command line</th><th></th><th>Default</th></tr>"
    return f"<table>{head}{''.join(map(_row, options))}</table>"


def _row(option: Option) -> str:
    choices = f" One of: {', '.join(option.choices)}." if option.choices else ""
    default = option.default
    if isinstance(default, tuple):
        default = ", ".join(default)
    elif isinstance(default, bool):
        default = "yes" if default else "no"
    cells = (
        _text(option.label) + (" (needed)" if option.needed else ""),
        f"<code>{option.name}</code>",
        f"<code>{option.flag}</code>" if option.flag else "",
        _text(option.help + choices),
        "" if default is None else _text(default),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _text(value: object) -> str:
    return html.escape(str(value), quote=False)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{_text(title)}</h1>{body}</body></html>\n".replace("<tr>", "\n<tr>")
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
