"""A page: one HTML file that needs nothing else, neither files nor network nor scripts."""

from __future__ import annotations

from collections.abc import Iterable

from geotools.evaluation.tables import escaped

__all__ = ["page", "picture"]


def page(title: str, style: str, parts: Iterable[str]) -> str:
    """The text of an HTML file.

    Args:
        title: of the window; any text.
        style: CSS without addresses.
        parts: HTML of the body; whatever came from files must be escaped in it.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def picture(uri: str, words: str, kind: str = "") -> str:
    """A picture that is inside the file, with what it shows in words for those who cannot see it.

    Args:
        uri: a data URI.
        words: what it shows.
        kind: class of the figure in the style.
    """
    named = f' class="{kind}"' if kind else ""
    return f'<figure{named}><img src="{uri}" alt="{escaped(words)}"></figure>'
