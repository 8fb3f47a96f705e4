"""The rasters of a configuration, opened, looked at and brought onto one grid as features."""
