"""Data files, and the only place that opens them."""
