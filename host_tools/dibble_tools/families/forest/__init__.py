"""Decision trees in integers."""
