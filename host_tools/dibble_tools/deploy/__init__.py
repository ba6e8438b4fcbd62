"""The firmware, a configuration and a model to a board: all of them or none."""
