"""Earthquake catalogs: one file per family of formats, behind one read_events."""
