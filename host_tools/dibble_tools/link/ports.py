"""Which serial port the board is at."""

from dataclasses import dataclass

from dibble_tools.common.errors import InputError
from dibble_tools.virtual_board import registry

VENDORS = {  # of USB; a board's maker, or that of its bridge
    0x2E8A: "Raspberry Pi",
    0x303A: "Espressif",
    0x239A: "Adafruit",
    0x2886: "Seeed",
    0xF055: "MicroPython",
    0x0D28: "micro:bit",
    0x10C4: "CP210x bridge",
    0x1A86: "CH34x bridge",
    0x0403: "FTDI bridge",
}


@dataclass(frozen=True)
class Place:
    """A port, and what is known about who is there."""

    port: str
    what: str


def find_port(port: str = "auto") -> str:
    """Return the port to open: the one that is named, or the one board that there is.

    Args:
        port: as `--port` takes it: a device such as /dev/ttyACM0 or COM5, the name of a virtual board, or "auto".
    Raises:
        InputError: "auto", and there is no board or more than one.
    """
    virtual = virtual_boards()
    if port != "auto":
        return next((place.port for place in virtual if place.what == f"virtual board {port}"), port)
    places = usb_boards() + virtual
    if len(places) == 1:
        return places[0].port
    if places:
        found = "; ".join(f"{place.port} ({place.what})" for place in places)
        raise InputError(f"--port: expected one board, got {len(places)}: {found}: name one")
    raise InputError(
        "--port: expected a board, got none: plug one in with a cable that carries data, name its port, "
        "or start a virtual one: dibble board start"
    )


def speed_at(port: str) -> float:
    """Return how many times as fast as here time passes for a board that sleeps: 1, but for some virtual boards."""
    boards = registry.running() if registry.can_exist() else []
    return next((board.speed for board in boards if board.port == port), 1.0)


def usb_boards() -> list[Place]:
    """Return the ports whose USB vendor makes boards, or bridges that boards carry."""
    from serial.tools.list_ports import comports

    return [
        Place(entry.device, f"{VENDORS[entry.vid]} {entry.product or ''}".strip())
        for entry in sorted(comports(), key=lambda entry: entry.device)
        if entry.vid in VENDORS
    ]


def virtual_boards() -> list[Place]:
    """Return the virtual boards that run on this computer for this user."""
    boards = registry.running() if registry.can_exist() else []
    return [Place(board.port, f"virtual board {board.name}") for board in boards]
