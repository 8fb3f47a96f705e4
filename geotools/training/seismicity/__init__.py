"""The shipped earthquake models: `python -m geotools.training.seismicity` makes them anew."""
