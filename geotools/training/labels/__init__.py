"""Labels of any kind (polygons, points, rasters, columns) as `Cells`."""
