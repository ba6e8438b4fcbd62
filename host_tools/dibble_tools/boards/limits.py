"""What a board allows a model."""

from dibble_tools.boards.catalogue import board_named, read_board
from dibble_tools.boards.prediction import network_us
from dibble_tools.common.errors import InputError
from dibble_tools.model.limits import Limits


def limits_of(
    board: str | None,
    *,
    max_bytes: int | None,
    max_heap: int | None = None,
    max_us: float | None = None,
    frames: bool = False,
) -> Limits:
    """Return the limits of a board, narrowed by what the user asks for.

    Args:
        frames: the model is a network over frames: machine code takes a small share of the estimate's bytecode.
    Raises:
        InputError: no such board; or a limit in microseconds without a board to tell how fast it is.
    """
    if board is None:
        if max_us is not None:
            raise InputError("--max-us: expected --board too: it tells how long an instruction takes")
        return Limits(max_bytes=max_bytes, max_heap=max_heap)
    has = read_board(board)
    own = board_named(board)[1]
    once, each = network_us(own, own.runtime(None)[1]) if frames else (0.0, has["us_per_instruction"])
    return Limits(
        max_bytes=min(filter(None, (max_bytes, has["model_bytes"]))),
        max_heap=min(filter(None, (max_heap, has["heap_bytes"]))),
        max_us=min(filter(None, (max_us, has["predict_us"]))),
        board=board,
        us_per_instruction=each,
        us_once=once,
    )
