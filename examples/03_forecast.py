"""Expected numbers of earthquakes after the events of a catalog, and the baseline beside them."""

import sys
from pathlib import Path

import geotools
from geotools.demo import sample_catalog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-forecast")
folder.mkdir(exist_ok=True)
catalog = sample_catalog()  # or any catalog of your own: QuakeML, CSV, GeoJSON, …
if catalog is None:
    sys.exit("This ObsPy came without its test files: name a catalog of your own.")

events = geotools.read_events(catalog)
print(events[["time", "magnitude", "depth_km"]])

made = geotools.map_forecast(
    catalog, folder / "forecast.tif", cells=folder / "forecast.gpkg", horizon_days=7, overwrite=True
)
forecast, lowest = made.issued.forecast, made.issued.forecast.magnitudes[0]
low, high = made.issued.interval(lowest)
print(f"{forecast.start:%Y-%m-%d %H:%M} to {forecast.end:%Y-%m-%d %H:%M} UTC, by {forecast.name}")
print(f"expected of M {lowest:g} or more: {forecast.total:.2f} ({low} to {high})")
print(f"long-term baseline: {made.issued.smoothed.total:.2f}")
