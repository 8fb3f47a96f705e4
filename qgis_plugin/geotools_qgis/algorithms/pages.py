"""Answers of the engine as pages: findings of the doctor, cards of models; without QGIS."""

import html

__all__ = ["card_page", "doctor_page", "lines_of"]

_STYLE = (
    "body{font:14px/1.5 sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em .2em 0;vertical-align:top;text-align:left;"
    "border-bottom:1px solid #ddd}.no{color:#b3261e;font-weight:bold}"
)


def _page(title, body):
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )


def doctor_page(found):
    """Findings of the doctor as HTML."""
    rows = "".join(
        f"<tr><td class='{'' if one['ok'] else 'no'}'>{'ok' if one['ok'] else 'fails'}</td>"
        f"<td>{html.escape(one['what'])}</td><td>{html.escape(one['detail'])}</td></tr>"
        for one in found["findings"]
    )
    head = (
        f"<p>geotools {html.escape(found['version'])}, messages of form {found['schema']}, "
        f"{html.escape(found['python'])}</p>"
    )
    return _page("geotools: the engine", f"{head}<table>{rows}</table>")


def card_page(found):
    """What is in a model as HTML."""
    title = str(found.get("name") or found.get("path", "model"))
    return _page(title, _table(found))


def _table(value):
    if isinstance(value, dict):
        rows = "".join(
            f"<tr><th>{html.escape(str(key))}</th><td>{_table(inner)}</td></tr>"
            for key, inner in value.items()
            if inner not in (None, "", [], {})
        )
        return f"<table>{rows}</table>"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return "".join(_table(inner) for inner in value)
        return html.escape(", ".join(map(str, value)))
    return html.escape(str(value))


def lines_of(found):
    """Findings of the doctor as lines, to be copied into a question."""
    head = f"geotools {found['version']}, schema {found['schema']}, {found['python']}"
    return [
        head,
        *(
            f"{'ok  ' if one['ok'] else 'FAIL'}  {one['what']}: {one['detail']}"
            for one in found["findings"]
        ),
    ]
