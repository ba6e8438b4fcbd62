"""Runs a model on real VMs, emulated chips and this computer, and compares."""
