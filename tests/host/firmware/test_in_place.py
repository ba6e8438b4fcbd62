"""A model in a ROMFS takes no RAM for its tables; from any other file system it takes one buffer."""

from dataclasses import dataclass

import numpy as np
import pytest
from dibble_tools.deploy.partition import FIRST_BYTES, romfs_image
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.families.maps.tables import Frame, MapLayer, MapsTables
from dibble_tools.machines.replay import laid_out
from dibble_tools.machines.vms import run_unix
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.model.writer import ModelSpec, export
from helpers import channels_of, random_additive, random_mlp, random_rows, random_scalers, random_spec
from mpremote.romfs import VfsRomWriter

LIMITS = [900, 70_000, 255]
ROUNDING_BYTES = 64  # of the VM's heap, whose blocks have 32
FILE_BYTES = 2000  # that an open file of littlefs takes, at most
GUEST = """\
import gc
import vfs
from array import array


class Ram:
    def __init__(self):
        self.data = bytearray(128 * 512)

    def readblocks(self, block, buffer, offset=0):
        data = self.data  # byte by byte, which allocates nothing
        at = block * 512 + offset
        for i in range(len(buffer)):
            buffer[i] = data[at + i]

    def writeblocks(self, block, buffer, offset=0):
        at = block * 512 + offset
        self.data[at : at + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        return {4: 128, 5: 512}.get(operation, 0)


ram = Ram()
vfs.VfsLfs2.mkfs(ram)
vfs.mount(vfs.VfsLfs2(ram), "/flash")
with open("model.dib", "rb") as file, open("/flash/model.dib", "wb") as copy:
    copy.write(file.read())
with open("image.romfs", "rb") as file:
    image = file.read()
vfs.mount(vfs.VfsRom(image), "/rom")
from dibble.inference import contents, load  # noqa: E402
from dibble.inference.kernels.choice import KIND  # noqa: E402

load("/flash/model.dib")  # its family's module is imported
gc.collect()


def largest():  # object that the heap has room for
    gc.collect()
    size = gc.mem_free()
    while True:
        try:
            bytearray(size)
            gc.collect()
            return size
        except MemoryError:
            size -= 32


size = len(image)
filler = bytearray(largest() - size - FILE_BYTES)
gc.collect()
before = gc.mem_alloc()
blob = contents("/flash/model.dib")
gc.collect()
print(KIND, gc.mem_alloc() - before)
del blob, filler
nodes = []
for folder in ("/flash", "/rom"):
    gc.collect()
    before = gc.mem_alloc()
    nodes.append(load(folder + "/model.dib"))
    gc.collect()
    print(gc.mem_alloc() - before)
with open("rows.bin", "rb") as rows:
    row = array("i", [0] * (len(nodes[0].readings) + 1))
    while rows.readinto(row):
        for node in nodes:
            decision = node.predict(row[1:])
            print(decision.class_index, decision.margin, decision.flags, decision.channel, decision.held_index)
"""


@dataclass
class Loaded:
    """What the VM told: bytes of heap, and the decisions of the model in either place."""

    kernels: str
    read: int
    in_ram: int
    in_rom: int
    decisions: list[list[list[int]]]


def load(model: HostModel, rows: np.ndarray, viper: bool, image: bytes = b"") -> Loaded:
    with laid_out(model, rows, None, viper=viper) as folder:
        (folder / "guest.py").write_text(f"FILE_BYTES = {FILE_BYTES}\n{GUEST}")
        (folder / "image.romfs").write_bytes(image or romfs_image("model.dib", {"model.dib": model.blob}))
        first, in_ram, in_rom, *lines = run_unix(folder, "guest.py").stdout.splitlines()
    decisions = [list(map(int, line.split())) for line in lines]
    kernels, read = first.split()
    return Loaded(kernels, int(read), int(in_ram), int(in_rom), [decisions[::2], decisions[1::2]])


def spec_of(tables: object) -> ModelSpec:
    return ModelSpec("random", channels_of([-9, 0, 5], [-9 + 900, 70_000, 260]), list("abcd"), tables)


def additive_of(top: int) -> AdditiveTables:
    """Return a model of 3 features whose tables have so many cells and one."""
    rng = np.random.default_rng(4)
    scalers = random_scalers(rng, LIMITS, [top] * 3)
    tables = rng.integers(0, 200, (3, 3, top + 1)).astype(np.uint8)
    terms = [Term((i,), (0,), table, table.mean(axis=1).astype(np.uint8)) for i, table in enumerate(tables)]
    return AdditiveTables(4, scalers, terms, [300, 10, 20, 30], 32.0)


def family(name: str) -> HostModel:
    if name == "forest":  # thresholds of 1, 2 and 4 bytes, which machine code reads as such
        return HostModel(export(random_spec(3, trees=12, depth=7)))
    if name == "additive":
        return HostModel(export(spec_of(random_additive(2, LIMITS, 4))))
    return HostModel(export(spec_of(random_mlp(2, LIMITS, 4, [16], ["dense8", "dense16"]))))


@pytest.mark.parametrize("viper", [True, False], ids=["viper", "bytecode"])
@pytest.mark.parametrize("name", ["forest", "additive", "mlp"])
def test_a_model_in_romfs_takes_its_file_less_of_the_heap_and_decides_alike(name: str, viper: bool) -> None:
    model = family(name)
    rows = random_rows(6, model.channels, 60)
    found = load(model, rows, viper)
    assert found.kernels == ("viper" if viper else "bytecode")
    size = len(model.blob)
    assert found.in_ram - found.in_rom >= size - ROUNDING_BYTES
    assert found.decisions == [model.decide(rows).columns().tolist()] * 2


def unaligned(model: HostModel) -> bytes:
    """Return an image as mpremote writes one, which aligns nothing."""
    for before in range(4):
        writer = VfsRomWriter()
        writer.mkdata(bytes(before))
        writer.mkfile("model.dib", model.blob)
        image = bytes(writer.finalise())
        if image.index(model.blob) % 4:
            return image
    raise AssertionError


@pytest.mark.parametrize("forms", [["dense8", "sparse8"], ["dense8", "dense16"]], ids=["bytes", "halves"])
def test_a_model_that_isnt_aligned_is_copied_only_where_it_has_wide_tables(forms: list[str]) -> None:
    model = HostModel(export(spec_of(random_mlp(2, LIMITS, 4, [16], forms))))
    rows = random_rows(6, model.channels, 30)
    found = load(model, rows, True, unaligned(model))
    size = len(model.blob)
    assert (found.in_ram - found.in_rom >= size - ROUNDING_BYTES) == ("dense16" not in forms)
    assert found.decisions == [model.decide(rows).columns().tolist()] * 2


def test_what_a_model_in_romfs_keeps_doesnt_depend_on_the_size_of_its_tables() -> None:
    """Of viper's kernels: an additive model's bytecode packs several classes in an int as it is loaded."""
    rows = np.zeros((0, 3), dtype=np.int64)
    small, large = (HostModel(export(spec_of(additive_of(top)))) for top in (7, 127))
    assert len(large.blob) - len(small.blob) > 1000
    assert load(small, rows, viper=True).in_rom == load(large, rows, viper=True).in_rom


def test_a_model_from_another_file_system_is_read_into_one_buffer() -> None:
    """And with no more room than for that."""
    model = HostModel(export(random_spec(3, trees=60, depth=8)))
    found = load(model, np.zeros((0, 3), dtype=np.int64), viper=True)
    size = len(model.blob)
    assert size > 10 * FILE_BYTES
    assert size <= found.read <= size + 4 * ROUNDING_BYTES


@pytest.mark.parametrize("size", [*range(14, 30), 4000, 70_000])
@pytest.mark.parametrize("others", [{}, {"model_code.mpy": bytes(999)}], ids=["alone", "with code"])
def test_the_model_lies_aligned_in_an_image_whose_other_files_come_after_its_first_piece(
    size: int, others: dict[str, bytes]
) -> None:
    model = bytes(i * 37 & 255 | 1 for i in range(size))
    image = romfs_image("model.dib", {"model.dib": model, **others})
    assert image.startswith(b"\xd2\xcd\x31") and len(image) % 2 == 0
    assert image.index(model) % 4 == 0
    for content in others.values():
        assert image.rindex(content) >= FIRST_BYTES


MAPS_GUEST = """\
import sys
import vfs

heap = sys.argv[1]
if heap == "rom":
    with open("image.romfs", "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        image = file.read(size)  # without its size, the buffer would grow
    vfs.mount(vfs.VfsRom(image), "/rom")
from dibble.inference import load

model = load("/rom/model.dib" if heap == "rom" else "model.dib")
print(type(model.blob).__name__)
frame = bytearray(model.size)
with open("frames.bin", "rb") as frames:
    while frames.readinto(frame):
        decision = model.predict(frame)
        print(decision.class_index, decision.margin, decision.flags)
"""
# The weights don't fit in it. The network takes 89 KB of it, in place 83; but a VM of 64 bits that has compiled its
# sources has strewn them about, and the kernels' scratch wants 31 KB in one piece.
MAPS_HEAP = 216_000


def large_maps() -> HostModel:
    """Return a network of four layers of 240 x 240 weights."""
    rng = np.random.default_rng(5)
    layers = [
        MapLayer("conv", (i,), rng.integers(-9, 10, (240, 1, 1, 240)), (3000,) * 240, (5,) * 240) for i in range(4)
    ]
    end = MapLayer("conv", (4,), rng.integers(0, 9, (3, 2, 2, 240)), (0,) * 3, (6,) * 3, kernel=(2, 2))
    return HostModel(export_maps(maps_spec("large", ["a", "b", "c"], MapsTables(Frame(2, 2, 240), [*layers, end]))))


@pytest.mark.parametrize(("place", "kind"), [("file", "Pages"), ("rom", "memoryview")])
def test_weights_larger_than_the_heap_are_read_layer_by_layer_or_used_in_place(place: str, kind: str) -> None:
    model = large_maps()
    assert len(model.blob) > MAPS_HEAP
    frames = np.random.default_rng(1).integers(0, 256, (4, 960))
    with laid_out(model, np.zeros((0, 1), dtype=np.int64), None) as folder:
        (folder / "guest.py").write_text(MAPS_GUEST.replace("sys.argv[1]", repr(place)))
        image = romfs_image("model.dib", {"model.dib": model.blob})
        (folder / "image.romfs").write_bytes(image)
        (folder / "frames.bin").write_bytes(frames.astype(np.uint8).tobytes())
        heap = MAPS_HEAP + (len(image) if place == "rom" else 0)  # the image stands in for flash
        told, *lines = run_unix(folder, "guest.py", heap=str(heap)).stdout.splitlines()
    assert told == kind
    assert [list(map(int, line.split())) for line in lines] == model.decide(frames).columns()[:, :3].tolist()
