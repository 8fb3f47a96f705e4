"""How definitions become algorithms of Processing."""
