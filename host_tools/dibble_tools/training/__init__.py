"""Teacher, students, tuner, card."""
