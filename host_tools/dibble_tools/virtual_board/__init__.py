"""The virtual board: a real MicroPython VM behind a serial port, with a flash image and simulated hardware."""
