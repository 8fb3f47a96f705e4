"""VERSION: that of this code; what is installed takes it from here."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
