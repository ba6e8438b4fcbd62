"""A node that listens on MicroPython's own build for an emulated Cortex-M0: instructions of a hop and heap, exact.

    python tests/benchmarks/listening_m0.py ports/qemu/build-MICROBIT/firmware.elf

whole_m0.py says what that build is. The firmware's own port and ListeningNode wait for four seconds, and hear what
machine.I2S has filled: all waits, watchdog, gate, front end, network, decision; all that runs for a hop but the
interrupt which moves the samples. The network is of random weights, as wide as 8.5 KB hold; a trained one's work is
the same but for rows of 0. A deployed node's firmware is merged, its constants stand where they're used: a little less.
"""

import argparse
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from dibble_tools.bench.stream_net import codes, drawn
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.data.sound.front_end import settings_for
from dibble_tools.data.sound.segments import SoundSettings, sound_channels
from dibble_tools.families.stream.training import shapes_for
from dibble_tools.model.encoding import sound_parts
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from mpremote.romfs import VfsRomWriter
from whole_m0 import MACHINE, WITHOUT, compiled, read_until

CLASSES = 12
MOST_BYTES = 8704
RATE_HZ = 16_000
WAIT_S = 4  # of the node's sleep, in which it hears
AIMS = {"kernels, a second": 2_500_000, "hop of 32 ms, all in": 140_000, "heap of samples, tables, model": 25_600}
NEEDED = ("", "inference", "inference/kernels", "senses", "streams", "ports", "report", "storage", "drivers")
GUEST = """
import gc
from array import array
from machine import mem32
from dibble import listening_node
from dibble.inference import load, model_of
from dibble.inference.kernels.choice import KIND
from dibble.ports import micropython as port
from dibble.ports import micropython_microphones as microphones
from dibble.senses import frames, listener
from dibble.watchdog import Watchdog
from dibble.streams import i2s_mic
from dibble.listening import Listening
from time import ticks_diff

mem32[0x4000A508] = 3
mem32[0x4000A510] = 0
mem32[0x4000A504] = 0
mem32[0x4000A00C] = 1
mem32[0x4000A000] = 1

def now():
    mem32[0x4000A040] = 1
    return mem32[0x4000A540] & 0xFFFFFFFF

class I2S:
    # without its ring
    RX = MONO = 0
    into = None
    hops = filling = 0
    def __init__(self, id, **pins):
        pass
    def irq(self, handler):
        self.handler = handler
    def readinto(self, into):
        self.into = into
    def fill(self):
        a = 0 if quiet else now()
        into = self.into
        self.into = None
        self.hops += 1
        seed = self.hops * 7919
        loud = self.hops & 3
        for k in range(len(into)):
            into[k] = ((k * seed & 8191) - 4096) >> loud
        self.handler(self)
        if not quiet:
            self.filling += now() - a

class Machine:
    I2S = I2S
    Pin = int

class Port:
    KIND = "micropython"
    ticks_ms = staticmethod(lambda: clock.ms)
    ticks_diff = staticmethod(ticks_diff)
    def microphones(self):
        return microphones
    def feed_watchdog(self):
        pass

class Sensors:
    bus = None

class Node(listening_node.ListeningNode):
    def __init__(self, model, permille):
        self.port = Port()
        self.sensors = Sensors()
        self.outputs = None
        self._watchdog = Watchdog(self.port, 0, 600000)
        self._seen = clock.ms
        self._cycle_ms = self._up_ms = 0
        settings = {"driver": "i2s_mic", "in_time": "auto", "gate_permille": permille, "rest_ms": 1000, "ring_ms": 150}
        settings.update({"id": 0, "sck": 1, "ws": 2, "sd": 3})
        self._listening = Listening(self, settings, model, None, -1)
    def heard(self, index):
        pass

class Clock:
    # time passes as the node waits, and the interrupt fills a hop when it is due
    def __init__(self):
        self.ms = self.next = self.number = self.waits = 0
        self.mic = None
    def ticks(self):
        return self.ms
    def sleep_ms(self, ms):
        self.waits += 1
        self.ms += ms
        mic = self.mic
        if mic and mic.into is not None and self.ms >= self.next:
            self.next += HOP_MS
            mic.fill()

clock = Clock()
quiet = False
microphones.machine = Machine
microphones.ticks_ms = clock.ticks
port.time = clock
port.ticks_ms = clock.ticks

def fresh():
    return load("/rom/model.dib") if IN_ROM else model_of(bytes(open("/rom/model.dib", "rb").read()))

first = Node(fresh(), PERMILLE)  # what is imported stays
first = None
gc.collect()
begin = gc.mem_alloc()
model = fresh()
gc.collect()
of_model = gc.mem_alloc() - begin
node = Node(model, PERMILLE)
gc.collect()
heap = gc.mem_alloc() - begin
listening = node._listening
ear = listening._ear
port.on_wait = node._waited

def spent(call):
    a = now()
    b = now()
    call()
    return now() - b - (b - a)

def nothing():
    pass

def listen():
    port.doze_ms(WAIT_MS, False)

def frame():
    ear.levels(ear.frames[0])

def score():
    model.score(ear.row)

def mean(call):
    total = 0
    for i in range(64):
        mem32[0x4000A00C] = 1
        total += spent(call) - spent(nothing)
    return total * 125 // 512 // 64

listen()
clock.mic = listening._stream._i2s
clock.next = clock.ms + HOP_MS
listen()
gc.collect()
before = gc.mem_alloc()
quiet = True  # the timer's numbers are large
listen()
allocated = gc.mem_alloc() - before
quiet = False
clock.mic.filling = 0
hops = clock.mic.hops
waits = clock.waits
mem32[0x4000A00C] = 1
total = spent(listen) - clock.mic.filling
hops = clock.mic.hops - hops
waits = clock.waits - waits

def desk(ms):  # what stands in for the hardware is no work of the node's
    mic.into = into
    return 31

mic = clock.mic
into = listening._stream._flight
port.on_wait = desk
clock.next = clock.ms + HOP_MS
mic.filling = 0
mem32[0x4000A00C] = 1
before = mic.hops
empty = spent(listen) - mic.filling
whole = (total // hops - empty // (mic.hops - before)) * 125 // 512
print(KIND, hops, waits, whole, mean(frame), mean(score), of_model, heap, allocated)
"""


def spotter(hop: int) -> HostModel:
    """Return a network over the stream of random weights, as wide as the bytes hold."""
    sense = SoundSettings(settings_for(RATE_HZ, 512, hop, 20))
    best = None
    for width in range(8, 97, 4):
        tables = drawn(20, shapes_for(CLASSES, width, hop / RATE_HZ), 1)
        names = [f"word {k}" for k in range(CLASSES)]
        spec = ModelSpec("spotter", sound_channels(sense), names, tables, parts=sound_parts(sense))
        blob = export(spec, codes(20, 4).tolist())
        if len(blob) > MOST_BYTES:
            break
        best = HostModel(blob)
    assert best is not None
    return best


def image(model: HostModel, form: str, folder: Path, permille: int, *, in_rom: bool) -> bytes:
    """Return a ROMFS of the library without some kernels, the model, and what counts."""
    assert model.content.sound is not None
    hop_ms = model.content.sound.front_end.hop * 1000 // RATE_HZ
    library = folder / "dibble"
    shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__", *WITHOUT[form]))
    head = f"HOP_MS = {hop_ms}\nWAIT_MS = {1000 * WAIT_S}\nPERMILLE = {permille}\nIN_ROM = {in_rom}\n"
    (folder / "main.py").write_text(head + GUEST)
    writer = VfsRomWriter()
    writer.mkfile("model.dib", model.blob)
    writer.mkfile("main.mpy", compiled(folder / "main.py", folder))
    writer.opendir("lib")
    _add(writer, library, folder)
    writer.closedir()
    return bytes(writer.finalise())


def _add(writer: VfsRomWriter, package: Path, folder: Path) -> None:
    writer.opendir(package.name)
    for source in sorted(package.glob("*.py")):
        writer.mkfile(f"{source.stem}.mpy", compiled(source, folder))
    for inner in sorted(package.iterdir()):
        if inner.is_dir() and inner.relative_to(folder / "dibble").as_posix() in NEEDED:
            _add(writer, inner, folder)
    writer.closedir()


def counts(firmware: Path, model: HostModel, form: str, permille: int, *, in_rom: bool = False) -> list[str]:
    """Return what the guest prints: kind, instructions of a hop, of its frame, of its scores; bytes of heap."""
    near, far = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix="dibble-") as name, near, far:
        rom = Path(name, "rom.img")
        rom.write_bytes(image(model, form, Path(name), permille, in_rom=in_rom))
        uart = ["-chardev", f"socket,id=uart,fd={far.fileno()}", "-serial", "chardev:uart"]
        loads = ["-kernel", str(firmware), "-device", f"loader,file={rom},addr=0x80000,force-raw=on"]
        machine = subprocess.Popen([*MACHINE, *loads, *uart], pass_fds=(far.fileno(),), stdin=subprocess.DEVNULL)
        try:
            read_until(near, b">>> ")
            near.sendall(b"\x01")
            read_until(near, b"exit\r\n>")
            near.sendall(b"import main\x04")
            told = read_until(near, b"\x04>", 60).decode()
        finally:
            machine.kill()
            machine.wait()
    output, _, errors = told.removeprefix("OK").partition("\x04")
    if errors:
        raise SystemExit(errors)
    return output.split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firmware", type=Path, help="firmware.elf of ports/qemu")
    options = parser.parse_args()
    for hop in (512, 400):
        model = spotter(hop)
        for form, permille in (("assembler", 0), ("assembler", 3000), ("viper", 0)):
            kind, *words = counts(options.firmware, model, form, permille)
            hops, waits, whole, frame, score, of_model, heap, allocated = map(int, words)
            per_s = RATE_HZ / hop
            print(
                f"hop {hop}, {len(model.blob):,} bytes, {kind}, gate {permille}: hop {whole:,} instructions, of it "
                f"frame {frame:,}, scores {score:,}, glue {whole - frame - score:,}; a second "
                f"{per_s * (frame + score) / 1e6:.2f} M kernels, {per_s * whole / 1e6:.2f} M all in; "
                f"{waits / hops:.1f} waits a hop; {allocated} bytes allocated; "
                f"heap {heap:,}, {of_model:,} of it the model",
                flush=True,
            )
    print("aims:", "; ".join(f"{name} {aim:,}" for name, aim in AIMS.items()))


if __name__ == "__main__":
    main()
