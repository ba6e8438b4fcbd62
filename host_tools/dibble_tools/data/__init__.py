"""A file of readings becomes channels, features and rows to learn from."""
