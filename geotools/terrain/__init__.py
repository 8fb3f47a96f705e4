"""Science of elevation, arrays in and arrays out: `attributes` and `geomorphons`.

No file is opened here, and numba is imported only when a kernel that needs it is first called.
"""
