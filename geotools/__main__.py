"""`python -m geotools`, and `main` of the command `geotools`."""

from geotools.cli import main

if __name__ == "__main__":
    main()
