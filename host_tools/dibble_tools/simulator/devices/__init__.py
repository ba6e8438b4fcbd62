"""Sensors on a simulated node's wires: what each answers to the driver, and how it fails."""
