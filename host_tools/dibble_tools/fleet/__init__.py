"""Many nodes at a broker: what they said, kept once; how they are; a new model for them, a few at a time."""
