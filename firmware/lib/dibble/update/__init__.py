"""What comes by radio: a model, a configuration or firmware, in pieces. models/UPDATES.md specifies the bytes."""
