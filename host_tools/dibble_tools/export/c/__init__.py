"""A model as C99 for machines without an interpreter, down to an 8-bit ATmega328P."""
