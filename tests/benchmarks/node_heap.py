"""The heap of a whole node, as it is deployed: four sensors, the orchard's forest with windows, log, console, a relay.

python tests/benchmarks/node_heap.py [--vm PATH]

Prints what the running node keeps, and the least heap in which it starts and decides on eight rows. The heap of the
hardware's stand-ins isn't counted. A board has words of 32 bits: PATH is of MicroPython's unix port built so, `make
-C ports/unix CFLAGS_EXTRA=-m32 LDFLAGS_EXTRA=-m32 MICROPY_PY_BTREE=0 MICROPY_PY_SSL=0 MICROPY_PY_FFI=0`; without it the
installed VM of 64 bits runs, which tells no board's figure. The 32-bit VM in WebAssembly can't: its collector doesn't
see what a C function holds, so that a small heap loses what is in use.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from dibble_tools.machines.vms import unix_command
from dibble_tools.node.files import OPTIONAL, MpyFormat, mpy_version, node_files

GUEST = Path(__file__).with_name("node_heap_guest")
MODEL = Path(__file__).parents[2] / "models" / "orchard" / "model.dib"
CONFIG = {
    "node": "orchard-1",
    "interval_s": 600,
    "led": 25,
    "i2c": {"sda": 4, "scl": 5},
    "sensors": [
        {"driver": "sht4x"},
        {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]},
        {"driver": "anemometer", "pin": 7},
        {"driver": "gas_adc", "pin": 27, "zero_uv": 600000, "uv_per_ppm": 1000000},
    ],
    "actions": [{"class": "irrigate", "pin": 16, "max_on_s": 900}],
}
CYCLES = 8
STEP = 256


def run(vm: str, files: dict[str, bytes], heap: int) -> str:
    """Return what a node says that starts in a heap of so many bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(GUEST, folder, dirs_exist_ok=True)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        (folder / "config.json").write_text(json.dumps(CONFIG))
        shutil.copy(MODEL, folder / "model.dib")
        command = [vm, "-X", f"heapsize={heap}", "start.py"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout


def is_well(said: str) -> bool:
    return said.count("CYCLE") == CYCLES and said.count(",ripening,ripening,") == CYCLES - 1 and "Error" not in said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vm", default=unix_command())
    vm = parser.parse_args().vm
    drivers = [sensor["driver"] for sensor in CONFIG["sensors"]]  # type: ignore[index, attr-defined]
    files = node_files(drivers, MpyFormat(mpy_version()), viper=False, without=OPTIONAL)
    said = run(vm, files, 1 << 20)
    assert is_well(said), said
    hardware = int(re.findall(r"BEGIN (\d+)", said)[0])
    kept = max(map(int, re.findall(r"CYCLE (\d+)", said)))
    print(f"running: {kept:,} bytes")
    low, high = 0, 1 << 19
    while high - low > STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if is_well(run(vm, files, middle)) else (middle, high)
    print(f"least heap to start with: {high - hardware:,} bytes")
    blocks = sum(-(-len(content) // 4096) for content in files.values())
    print(f"{len(files)} files, {sum(map(len, files.values())):,} bytes, {blocks} blocks of 4 KiB")


if __name__ == "__main__":
    main()
