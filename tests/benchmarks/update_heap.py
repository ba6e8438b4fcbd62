"""The heap that an update by MQTT takes beside the radio's, on a VM with a board's words of 32 bits.

    python tests/benchmarks/update_heap.py

With the files as a deploy brings them, in bytecode. Looked at is what is kept while the node looks at an offer, and
then while pieces come (of 256 bytes, a model of 4 KB): after a collection, and with what a collection would give back.
"""

import tempfile
from pathlib import Path

from dibble_tools.machines.vms import run_wasi
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

class Boot:
    unconfirmed = 0

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
        found.append(gc.mem_alloc() - before)
        return -1

def told(what):
    with_garbage = gc.mem_alloc() - before
    gc.collect()
    gc.collect()
    print("%-22s %5d bytes, %5d with what a collection gives back" % (what, gc.mem_alloc() - before, with_garbage))

found = []
class Os:
    def statvfs(path):
        return 4096, 4096, 200, 100

sys.modules["os"] = Os
node, client, topic = Node(), Inbox(), "dibble/node/"
print("beside the radio's")
gc.collect()
gc.collect()
before = gc.mem_alloc()
import dibble.update
told("offer.py")
import dibble.kept
told("and kept.py")
from dibble.looking import look
told("looking, its code")
standing = look(node, client, topic)
del look
told("looking, done")
forget("dibble.looking", "dibble.kept", "dibble.trial")
told("between")
import dibble.parcel
told("parcel.py")
dibble.parcel.open = File
from dibble.receiving import receive
told("receiving, its code")
gc.collect()
receive(standing, node.port, client, topic, 1000)
print("%-22s %5d bytes with what a collection gives back" % ("while pieces come", found[0]))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in node_files((), MpyFormat(mpy_version()), viper=False).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for stub in ("machine", "network", "socket"):
            (folder / f"{stub}.py").write_text("")
        (folder / "heap.py").write_text(SCRIPT)
        print(run_wasi(folder, "heap.py").stdout, end="")


if __name__ == "__main__":
    main()
