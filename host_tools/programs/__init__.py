"""A model as a program of its own: C99 for machines without an interpreter, or one Python file."""
