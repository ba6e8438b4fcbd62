"""The simulated field: weather, soil, fruit and the devices that measure them, in virtual time."""
