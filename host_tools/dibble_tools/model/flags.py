"""What people call the flags of a decision, from its lowest bit on."""

FLAG_NAMES = ("unsure", "out of range", "sensor fault", "novel")
