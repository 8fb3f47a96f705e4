"""The engine: which one there is, what it gets of the environment, how it runs."""
