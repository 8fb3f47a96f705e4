"""What the desktop shows around the algorithms."""
