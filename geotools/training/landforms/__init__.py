"""The shipped landform model: `python -m geotools.training.landforms` makes it anew."""
