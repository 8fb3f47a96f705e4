"""geotools.io.xmltext."""

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape as escape_of_sax

import pytest

from geotools.io.xmltext import escape, quoteattr

TEXTS = ["plain", "a & b < c > d", "\"both\" 'quotes'", "tab\tline\nend\r", "Größe 山 &amp;", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_parser_reads_the_text_again(text):
    """What is escaped or quoted is what an XML parser finds; escape is that of the library."""
    element = ET.fromstring(f"<a b={quoteattr(text)}>{escape(text)}</a>")
    assert element.get("b") == text
    assert (element.text or "") == text.replace("\r", "\n")  # as every parser does between tags
    assert escape(text) == escape_of_sax(text)
