"""A year of a node's cycles on the unix VM with a small heap: what the heap holds after each day.

python tests/benchmarks/heap_year.py MODEL [--days 365] [--heap 96wk]
"""

import re
from pathlib import Path
from typing import Annotated

import typer
from dibble_tools.boards.catalogue import read_power
from dibble_tools.model.host_model import HostModel
from dibble_tools.simulator import season
from dibble_tools.simulator.node.firmware import firmware_folder

MEASURE = """\
import gc
from dibble.node import Node
sleep = Node.sleep
count = [0]
def measured(self):
    count[0] += 1
    if count[0] % 144 == 1:
        gc.collect()
        print("HEAP", count[0] // 144, gc.mem_alloc())
    sleep(self)
Node.sleep = measured
"""


def main(
    model: Path,
    days: Annotated[float, typer.Option()] = 365.0,
    heap: Annotated[str, typer.Option(help="as -X heapsize takes it; 64wk is 64 KB of a 32-bit board")] = season.HEAP,
) -> None:
    def measured_firmware(target: Path) -> Path:
        folder = firmware_folder(target)
        main_file = folder / "main.py"
        source = main_file.read_text().replace("app.run(port)", MEASURE + "app.run(port)")
        main_file.write_text(source)
        return folder

    season.firmware_folder = measured_firmware
    board = season.SimulatedBoard(read_power("esp32_devkit"), heap=heap)
    simulation = season.Simulation(HostModel.open(model), board, days=days)
    result = simulation.run()
    found = [(int(day), int(size)) for day, size in re.findall(r"HEAP (\d+) (\d+)", result.console)]
    sizes = [size for _, size in found]
    failed = result.console.count("MemoryError")
    print(f"{len(result.moments):,} cycles; {len(result.lives) - 1} restarts; {failed} MemoryErrors")
    for day, size in found[:: max(1, len(found) // 12)]:
        print(f"day {day:3}: {size:,} bytes")
    later = sizes[2:] or [0]
    print(f"after the first day: {min(later):,} to {max(later):,}; last {(sizes or [0])[-1]:,}")


if __name__ == "__main__":
    typer.run(main)
