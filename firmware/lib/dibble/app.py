"""The node from power-on: a window for people, the boot count, then the cycle for ever, or safe mode."""

import os
import sys

from dibble import RecordError, __version__
from dibble.forgetting import forget, forget_start, start_only
from dibble.storage.boot import SAFE, BootState
from dibble.storage.key import signatures_of
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
    kept = Slots("config")
    models, boot = _boot(port, kept)
    node = None
    try:
        node = _node(port, kept, models, boot)
        forget_start()
        _tell_damage(port, node.log.sequence)
        node.run()
    except KeyboardInterrupt:
        boot.forgive()
        raise
    except Exception as error:  # nobody is there to read it: count the boot and start anew
        port.on_wait = None  # what the node did meanwhile may be what failed
        try:
            port.print_exception(error)
            _tell_damage(port, 0, None if node else error)  # a node has told it
        except Exception:  # nothing keeps it from starting anew, a heap that is full neither
            pass
    port.sleep_ms(PAUSE_MS)
    port.reset()


@start_only
def _boot(port, kept):
    """Wait for people and count the boot; return Slots of the model and the BootState. In safe mode, start anew."""
    print("dibble %s: Ctrl-C within %d s leaves the REPL free" % (__version__, WINDOW_MS // 1000))
    port.sleep_ms(WINDOW_MS)
    port.feed_watchdog()  # main.py's, of firmware on trial
    models = Slots("model")
    boot = BootState(port.memory("boot"))
    if _take_firmware(port, boot):
        port.reset()
    mode = boot.begin(*(models.generations() + _candidate(port, kept)))
    stand_in = ", last good configuration" if boot.config_rejected else ""
    print("boot %d since the last good one: %s%s" % (boot.unconfirmed, MODES[mode], stand_in))
    if mode == SAFE:
        _rest(port)
        boot.retry()
        port.reset()
    return models, boot


@start_only
def _node(port, kept, models, boot):
    """Return the node, which has told what it runs."""
    if boot.undone:
        _undo()
    signatures = signatures_of(port)
    configured = _configure(port, kept, boot, signatures)
    if configured[0]["listen"]["driver"]:  # not before: the schema and the node don't have to fit at once
        from dibble.listening_node import ListeningNode as Node
    else:
        from dibble.node import Node
    node = Node(port, boot, models, configured, signatures)
    if signatures:
        signatures.forget()
    node.begin()
    return node


@start_only
def _candidate(port, kept):
    """Return setup.candidate(), whatever is wrong with the file, or with the firmware's own."""
    try:
        from dibble import setup

        return setup.candidate(kept)
    except Exception as error:
        port.print_exception(error)
        return b"lost", False


@start_only
def _take_firmware(port, boot):
    """Stage firmware that came by radio while the heap is free; return whether the next start has it.

    A power cut meanwhile leaves it to the next contact: a battery that can't bear it doesn't end the node.
    """
    try:
        os.rename("update.firmware", "update.part")
    except OSError:
        return False
    from dibble.update.place import place

    try:
        why = place(port, boot, at_start=True)
    except (OSError, RecordError) as error:
        why = error
    print("firmware by radio: %s" % (why or "it is in its place"))
    forget("dibble.update.place", "dibble.update.reading", "dibble.update.opening", "dibble.update.parcel")
    forget(
        "dibble.update.kept",
        "dibble.update.offer",
        "dibble.update.offered",
        "dibble.update.firmware",
        "dibble.storage.signatures",
        "dibble.storage.manifest",
    )
    return not why


@start_only
def _undo():
    """Take back what came by radio and ended the node before it was installed."""
    try:
        from dibble.update.on_trial import undo
    except ImportError:  # the firmware that came since has no updates by radio
        return
    undo()
    forget("dibble.update.on_trial", "dibble.update.trial", "dibble.update.kept")
    forget("dibble.update.offer", "dibble.update.offered")


@start_only
def _configure(port, kept, boot, signatures):
    """Return setup.configure(); give back the heap of what that needed."""
    from dibble import setup

    configured = setup.configure(kept, boot.config_rejected, signatures)
    if port.KIND == "micropython":  # where the node is compiled on the board, that needs the room first
        if boot.awaits_report and configured[0]["watchdog_ms"]:  # nobody is there to end a look that never ends
            port.start_watchdog(configured[0]["watchdog_ms"])
        setup.look_first()
    forget("dibble.config", "dibble.setup")
    return configured


def _tell_damage(port, begin, error=None):
    """Say what ended the node, and which files of the firmware are lost or damaged; it may run without them."""
    try:
        from dibble.report.serial_line import SerialLines
        from dibble.storage import manifest

        lines = SerialLines(sys.stdout.write, "", (), ())
        day, second = port.date()
        if error:
            lines.event("error", day * 86400 + second, "%s: %s" % (type(error).__name__, error))
        for text in manifest.check(port, begin):
            lines.event("files", day * 86400 + second, text)
        forget("dibble.storage.manifest")
    except Exception as error:  # what tells may be lost itself: that ends no node
        port.print_exception(error)


@start_only
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
