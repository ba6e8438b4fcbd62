"""What dibble knows of boards: boards/NAME.toml, held against a schema, and what follows from it."""
