"""dibble's host side: from a CSV of readings to a model file that is proven on real MicroPython VMs."""
