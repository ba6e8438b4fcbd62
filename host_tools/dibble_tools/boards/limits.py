"""What a board allows a model."""

from dibble_tools.boards.catalogue import read_board
from dibble_tools.common.errors import InputError
from dibble_tools.model.limits import Limits


def limits_of(
    board: str | None, *, max_bytes: int | None, max_heap: int | None = None, max_us: float | None = None
) -> Limits:
    """Return the limits of a board, narrowed by what the user asks for.

    Raises:
        InputError: no such board; or a limit in microseconds without a board to tell how fast it is.
    """
    if board is None:
        if max_us is not None:
            raise InputError("--max-us: expected --board too: it tells how long an instruction takes")
        return Limits(max_bytes=max_bytes, max_heap=max_heap)
    has = read_board(board)
    return Limits(
        max_bytes=min(filter(None, (max_bytes, has["model_bytes"]))),
        max_heap=min(filter(None, (max_heap, has["heap_bytes"]))),
        max_us=min(filter(None, (max_us, has["predict_us"]))),
        board=board,
        us_per_instruction=has["us_per_instruction"],
    )
