"""The model file on the host: written, read, evaluated."""
