"""Columns and counters of the tables that the compiled kernels of this package share.

The tables are plain numpy arrays, so that a kernel can stop when one is full, Python can grow it
and the kernel goes on at the same row.
"""

# Corners: table `nodes` of shape (capacity, 4), int32: four to a line of the processor's cache.
X, Y = 0, 1  # place in cells, from the upper left corner of the raster
NEXT = 2  # the corner after this one, polygon on the left hand; in the free list: the next free
LINK = 3  # the same corner seen from the other side (>= 0), or what follows
NODE_COLUMNS = 4
MAX_NODES = 2**30 - 8

PINNED = -1  # must stay where it is
TWIN = -2  # TWIN - t: corner t is diagonally across, and perhaps of the same polygon
MARKED = -(2**30)  # MARKED - t: the same, and this polygon is being collected
REMOVED = -(2**31) + 1  # not part of the outline any more
VISITED = -(2**31)  # collected, and free again

# Corners where a walk may start: array `starts` (capacity,), int32, the next one of the polygon.

# Polygons under way: table `parts` of shape (capacity, 6), int32.
PARENT = 0  # itself, or the part it was joined to; in the free list: the next free
HEAD, TAIL = 1, 2  # list of corners through `starts`
LAST = 3  # last row that has a cell of it
VALUE = 4  # value of its cells
FIRST = 5  # corner at the upper left of its first cell in reading order
PART_COLUMNS = 6

# Their sums: table `sums` of shape (capacity, 3), float64.
AREA, CONFIDENCE, CELLS = 0, 1, 2
SUM_COLUMNS = 3

# Counters: array `meta`, int64.
N_NODES, FREE_NODE = 0, 1  # rows of `nodes` ever used, first of those free again
N_PARTS, FREE_PART, FREE_PARTS = 2, 3, 4  # the same of `parts`, and how many are free
SIDE = 5  # which half of the run tables is the row above
N_RUNS = 6  # runs of the row above
N_DONE = 7  # polygons that are complete
N_FRESH = 8  # corners made since the last strip
TAKEN = 9  # what the last call took: rows of a band, or complete polygons
N_RINGS, N_CORNERS = 10, 11  # rings and coordinates of the polygons taken last
META = 12
