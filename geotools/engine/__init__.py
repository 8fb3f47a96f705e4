"""The engine: work on large rasters in units that survive being killed, by any executor.

A job is cut into units, each of which becomes parts on the disk; a mosaic of the parts is the
result. What is computed is said by a `Task`; nothing here knows models.
"""
