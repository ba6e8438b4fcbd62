"""The node from power-on: a window for people, the boot count, then the cycle for ever, or safe mode."""

from dibble import __version__
from dibble.node import Node
from dibble.storage.boot import SAFE, BootState
from dibble.storage.manifest import check
from dibble.storage.slots import Slots

WINDOW_MS = 3000
SAFE_MS = 600000
BLINK_MS = 200
PAUSE_MS = 2000
MODES = ("normal", "previous model", "safe mode")


def run(port):
    """Run the node; return only by Ctrl-C, which leaves the REPL free.

    Args:
        port: a module of dibble.ports.
    """
    print("dibble %s: Ctrl-C within %d s leaves the REPL free" % (__version__, WINDOW_MS // 1000))
    port.sleep_ms(WINDOW_MS)
    models = Slots("model")
    boot = BootState(port.boot_memory("boot"))
    mode = boot.begin(*models.generations())
    print("boot %d since the last good one: %s" % (boot.unconfirmed, MODES[mode]))
    if mode == SAFE:
        _rest(port)
        boot.retry()
        port.reset()
    try:
        node = Node(port, boot, models, mode)
        for text in check(port, node.log.sequence):
            node.tell("files", text)
        node.run()
    except Exception as error:  # nobody is there to read it: count the boot and start anew
        port.print_exception(error)
    port.sleep_ms(PAUSE_MS)
    port.reset()


def _rest(port):
    """Blink three times every two seconds, until it's time to try again."""
    print("safe mode: Ctrl-C leaves the REPL free; the node tries again in %d minutes" % (SAFE_MS // 60000))
    led = port.status_led()
    left_ms = SAFE_MS
    while left_ms > 0:
        for level in (1, 0, 1, 0, 1, 0):
            led.set(level)
            port.sleep_ms(BLINK_MS)
        port.sleep_ms(PAUSE_MS)
        left_ms -= PAUSE_MS + 6 * BLINK_MS
