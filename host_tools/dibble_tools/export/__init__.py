"""Writes a model as a program: C, an Arduino sketch, Python, the model as code."""
