"""What dibble knows of boards: boards/NAME.toml, held against a schema, and what follows from it."""

from dibble_tools.boards.catalogue import board_named, board_names, limits_of, read_board, read_power

__all__ = ["board_named", "board_names", "limits_of", "read_board", "read_power"]
