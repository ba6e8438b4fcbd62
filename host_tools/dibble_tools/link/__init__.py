"""A board at the other end of a serial port, over mpremote's transport."""
