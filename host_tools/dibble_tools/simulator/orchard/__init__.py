"""The simulated world: weather, soil, fruit, sensors' noise."""
