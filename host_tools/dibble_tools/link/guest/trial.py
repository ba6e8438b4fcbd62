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


def trial(staged, removed, with_model):
    """Check the configuration and the model with the library that they'll run with; print "well", or why not."""
    try:
        from vfs import mount, umount
    except ImportError:
        from os import mount, umount
    mount(Overlay(staged, removed), PLACE)
    sys.path.insert(0, PLACE + "/lib")
    try:
        _check(with_model)
    finally:
        sys.path.pop(0)
        umount(PLACE)


def _check(with_model):
    from dibble import ConfigError, ModelError, config
    from dibble.drivers import channels_of, driver

    try:
        with open(PLACE + "/config.json", "rb") as file:
            settings = config.parse(file.read(), lambda name: driver(name).SETTINGS)
        if with_model:
            from dibble.classifier import Classifier

            channels = Channels(settings["sensors"], channels_of)
            with open(PLACE + "/model.dib", "rb") as file:
                Classifier(file.read(), channels, settings["interval_s"] * 1000)
        print("well")
    except (ConfigError, ModelError, MemoryError) as error:
        print("%s: %s" % (type(error).__name__, error))


class Channels:
    """What the sensors of a configuration give, without the sensors."""

    def __init__(self, sensors, channels_of):
        self.names = []
        self.units = []
        for channels in channels_of(sensors)[0]:
            self.names.extend([channel[0] for channel in channels])
            self.units.extend([channel[1] for channel in channels])
        self.values = [0] * len(self.names)
