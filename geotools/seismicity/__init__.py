"""Science of earthquake catalogs, arrays in and arrays out; no files, no models."""
