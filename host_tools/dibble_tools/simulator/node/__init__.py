"""The simulated node: a real VM on simulated hardware."""
