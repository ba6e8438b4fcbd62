"""A model as one Python file for MicroPython and CircuitPython, without the library."""
