"""The heap that an update by MQTT takes beside the radio's.

    python tests/benchmarks/update_heap.py [--vm PATH]

With the files as a deploy brings them, in bytecode. Looked at is what is kept in each part of a contact, after a
collection, and with what a collection would give back: a trial that ended badly is looked after, an offer is looked
at, what is there of it is looked for, pieces come (of 256 bytes, a model of 4 KB), their objects included. Names that
dibble.update brings to the heap stay in it and count; an open file's buffer doesn't (littlefs has one, of a size that
the port chooses). node_heap.py has how a VM of a board's words of 32 bits is built; the installed one of 64 bits tells
no board's figure.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from dibble.update.kept import TRIED, Kept
from dibble_tools.machines.vms import unix_command
from dibble_tools.node.files import MpyFormat, mpy_version, node_files

SCRIPT = """
import gc, sys
sys.path.insert(0, "lib")
import dibble.node, dibble.radio
from dibble import forget
from dibble.update import crc16

def framed(head):
    check = crc16(head, 0, len(head))
    return head + bytes((check >> 8, check & 255))

OFFER = framed(bytes((0x10, 0, 1, 0, 16, 0)) + b"abcd1234")
forget("dibble.update")

class File:
    kept = bytearray(6000)
    size = -1
    def __init__(self, path, mode):
        if mode == "wb":
            File.size = 0
        elif File.size < 0:
            raise OSError(2)
        self.at = 0
    def read(self, size):
        size = min(size, File.size - self.at)
        self.at += size
        return bytes(File.kept[self.at - size : self.at])
    def readinto(self, target):
        return 0
    def write(self, data):
        self.at += len(data)
        File.size = max(File.size, self.at)
    def seek(self, at):
        self.at = at
    def close(self):
        pass

class Port:
    KIND = "micropython"
    def ticks_ms(self):
        return 5
    def ticks_diff(self, newer, older):
        return 0
    def feed_watchdog(self):
        pass

def told_of(found):
    gc.collect()
    gc.collect()
    found.append(gc.mem_alloc() - before)

class Boot:
    unconfirmed = 0
    @property
    def rejected(self):
        told_of(in_trial)
        return 0

class Node:
    port = Port()
    boot = Boot()
    classifier = gate = None
    config_text = b"{}"
    notes = ()

class Inbox:
    inbox = {b"offer": bytearray(OFFER)}
    error = "nothing more comes here"
    def fetch(self, packet, target):
        told_of(coming)
        return -1

def told(what):
    with_garbage = gc.mem_alloc() - before
    gc.collect()
    gc.collect()
    print("%-22s %5d bytes, %5d with what a collection gives back" % (what, gc.mem_alloc() - before, with_garbage))

coming, in_trial = [], []
class Os:
    def remove(path):
        raise OSError(2)
    def statvfs(path):
        return 4096, 4096, 200, 100

sys.modules["os"] = Os
node, client, topic = Node(), Inbox(), "dibble/node/"
print("beside the radio's")
gc.collect()
gc.collect()
before = gc.mem_alloc()
from dibble.trial import settle
told("a trial, its code")
settle(node)
print("%-22s %5d bytes" % ("a trial, while it ends", in_trial[0]))
del settle
forget("dibble.trial")
from dibble.looking import look
told("looking, its code")
standing = look(node, client, topic)
told("looking, done")
del look
forget("dibble.looking", "dibble.kept")
told("between")
import dibble.parcel
told("parcel.py")
import dibble.opening
dibble.opening.open = File
from dibble.opening import parcel_of
told("opening, its code")
parcel = parcel_of(standing, node.port)
told("opening, done")
del parcel_of
forget("dibble.opening")
told("between")
from dibble.receiving import receive
told("receiving, its code")
receive(standing, parcel, node.port, client, topic, 1000)
print("%-22s %5d bytes" % ("while pieces come", coming[0]))
del receive, parcel
forget("dibble.receiving", "dibble.parcel")
from dibble.telling import text_of
text = text_of(standing, None)
told("telling, done")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vm", default=unix_command())
    vm = parser.parse_args().vm
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in node_files((), MpyFormat(mpy_version()), viper=False).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for stub in ("machine", "network", "socket"):
            (folder / f"{stub}.py").write_text("")
        (folder / "heap.py").write_text(SCRIPT)
        os.chdir(folder)
        kept = Kept()
        kept.crc = kept.identity = b"gone"
        kept.kind = kept.turn = 0
        kept.write(TRIED)
        subprocess.run([vm, "heap.py"], cwd=folder, check=True, timeout=120)


if __name__ == "__main__":
    main()
