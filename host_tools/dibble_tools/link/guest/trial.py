"""Run on the board: tries staged files as if they were in their places, before they are."""

import os
import sys

STAGED = ".staged"
PLACE = "/trial"


class Overlay:
    """The board's files, and over them those that are staged.

    Args:
        staged, removed: paths; those of `removed` won't be there.
    """

    def __init__(self, staged, removed):
        self.staged = set(staged)
        self.removed = set(removed)

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        return os.stat(self.real(path))

    def open(self, path, mode):
        return open(self.real(path), mode)

    def real(self, path):
        path = path.lstrip("/")
        if path in self.removed:
            raise OSError(2)
        return path + STAGED if path in self.staged else path


def trial(staged, removed, with_model, watchdog_ms):
    """Make all that the node makes at its start, with the library that it'll run with; print "well", or why not.

    Args:
        with_model: there is one, or there will be.
        watchdog_ms: the most that the board's watchdog takes; 0: not known.
    """
    try:
        from vfs import mount, umount
    except ImportError:
        from os import mount, umount
    mount(Overlay(staged, removed), PLACE)
    sys.path.insert(0, PLACE + "/lib")
    try:
        _check_signatures(staged)
        _make(with_model, watchdog_ms)
        print("well")
    except Exception as error:  # whatever it is, the node would end by it
        print("%s: %s" % (type(error).__name__, error))
    finally:
        sys.path.pop(0)
        umount(PLACE)


def _check_signatures(staged):
    """Raise what the node would say of staged files that aren't signed with its key."""
    try:
        os.stat(PLACE + "/node.key")
    except OSError:
        return
    from dibble.ports import micropython as port

    try:
        from dibble.signatures import KINDS, SUFFIX, Signatures  # of the files that a deploy merges
    except ImportError:
        from dibble.storage.signatures import KINDS, SUFFIX, Signatures

    signatures = Signatures(port.memory("signed"), port.feed_watchdog, PLACE + "/")
    for path in KINDS:
        if path in staged or path + SUFFIX in staged:
            with open(PLACE + "/" + path, "rb") as file:
                signatures.check(path, file.read())


def _make(with_model, watchdog_ms):
    from dibble import ConfigError, config
    from dibble.drivers import driver
    from dibble.node import Sensors
    from dibble.ports import micropython as port

    with open(PLACE + "/config.json", "rb") as file:
        settings = config.parse(file.read(), lambda *named: driver(*named).SETTINGS)
    block, _, blocks = os.statvfs("/")[:3]
    config.check_board(settings, block * blocks, watchdog_ms)
    sensors = Sensors(settings, port)
    interval_ms = settings["interval_s"] * 1000
    classes, tells_novel = _classes("/model.dib", sensors, interval_ms) if with_model else (None, True)
    gate = _classes("/gate.dib", sensors, interval_ms)[0] if settings["gate"]["skip"] else None
    voice = _classes("/voice.dib", sensors, interval_ms)[0] if settings["listen"]["skip"] else None
    if voice is None:  # firmware that stays may not know of any
        config.check_classes(settings, classes, gate, tells_novel)
    else:
        config.check_classes(settings, classes, gate, tells_novel, voice)
    pins = [("actions[%d].pin" % i, entry) for i, entry in enumerate(settings["actions"])]
    if settings["led"] != "":
        pins.append(("led", {"pin": settings["led"], "active_low": False}))
    for where, entry in pins:
        try:
            port.output(entry["pin"], entry["active_low"])
        except (ValueError, TypeError) as error:
            raise ConfigError("config.%s: expected a pin of this board, got %r: %s" % (where, entry["pin"], error))  # noqa: B904


def _classes(path, sensors, interval_ms):
    """Return (classes, whether it tells what is novel) of a model the node will run; (None, True): no such file."""
    try:
        from dibble.node import Classifier  # of the files that a deploy merges
    except ImportError:
        from dibble.classifier import Classifier

    try:
        with open(PLACE + path, "rb") as file:
            blob = file.read()
    except OSError:
        return None, True
    return Classifier(blob, sensors, interval_ms).model.classes, blob[5] >= 128
