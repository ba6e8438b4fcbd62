"""A model and a minimal node in 9 KB of heap."""
