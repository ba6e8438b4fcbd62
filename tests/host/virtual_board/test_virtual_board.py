"""The virtual board is a board to unmodified mpremote, and to who types at it."""

import hashlib
import json

import pytest
from dibble_tools.common.shipped import FIRMWARE, MODELS
from dibble_tools.virtual_board.board import VirtualBoard
from virtual_helpers import files_of, image_of, interrupted, mpremote, own_registry, raw_repl, read_until, wait_until

WINE = (MODELS / "wine" / "model.dib").read_bytes()
CONTENT = bytes(range(256)) * 20
CLEAN = """
import os
def remove(folder):
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if path[:4] == "/rom":
            continue
        if entry[1] & 0x4000:
            remove(path)
            os.rmdir(path)
        else:
            os.remove(path)
remove("")
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    with own_registry(folder), VirtualBoard.start(folder / "node.flash", flash="512k", romfs="64k") as started:
        yield started


@pytest.fixture
def clean(board):
    """A board without files of earlier tests."""
    with raw_repl(board) as repl:
        repl.exec(CLEAN)
    return board


def test_mpremote_copies_to_the_board_and_back(clean, tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT)
    mpremote(clean, "cp", "data.bin", ":copy.bin", folder=tmp_path)
    assert f"{len(CONTENT)} copy.bin" in mpremote(clean, "ls")
    assert hashlib.sha256(CONTENT).hexdigest() in mpremote(clean, "sha256sum", "copy.bin")
    mpremote(clean, "cp", ":copy.bin", "back.bin", folder=tmp_path)
    assert (tmp_path / "back.bin").read_bytes() == CONTENT


def test_another_littlefs_reads_what_the_board_wrote(clean, tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT)
    mpremote(clean, "cp", "data.bin", ":", folder=tmp_path)
    assert files_of(image_of(clean)) == {"data.bin": CONTENT}


def test_mpremote_mounts_a_folder_of_the_computer(clean, tmp_path):
    """Both ways, with every byte: a 3 in the data isn't a Ctrl-C, a 10 isn't a line's end."""
    (tmp_path / "data.bin").write_bytes(CONTENT)
    copy = "f = open('data.bin', 'rb'); g = open('out.bin', 'wb'); g.write(f.read()); g.close(); f.close()"
    mpremote(clean, "mount", str(tmp_path), "exec", copy)
    assert (tmp_path / "out.bin").read_bytes() == CONTENT


def test_mpremote_runs_a_script_and_shows_its_output(clean, tmp_path):
    (tmp_path / "script.py").write_text("print('one')\nprint('two')\n")
    assert mpremote(clean, "run", "script.py", folder=tmp_path) == "one\ntwo\n"


def test_mip_installs_from_a_folder(clean, tmp_path):
    (tmp_path / "answer.py").write_text("A = 42\n")
    (tmp_path / "package.json").write_text(json.dumps({"urls": [["answer.py", "answer.py"]], "version": "1"}))
    mpremote(clean, "mip", "install", "--target", "/", "./package.json", folder=tmp_path)
    assert mpremote(clean, "exec", "import answer; print(answer.A)") == "42\n"


def test_mip_installs_the_library_of_a_family_from_its_sources(clean):
    mpremote(clean, "mip", "install", "forest.json", folder=FIRMWARE)
    script = f"from dibble.inference import model_of; print(model_of({WINE!r}).self_test())"
    assert mpremote(clean, "exec", script) == "6\n"


def test_romfs_is_deployed_and_used_in_place(clean, tmp_path):
    (tmp_path / "rom").mkdir()
    (tmp_path / "rom" / "table.bin").write_bytes(CONTENT)
    (tmp_path / "rom" / "in_rom.py").write_text("B = 7\n")
    assert "Not a valid ROMFS" in mpremote(clean, "romfs", "query")
    mpremote(clean, "romfs", "deploy", "rom", folder=tmp_path)
    code = "import in_rom, gc\na = gc.mem_alloc()\nwith open('/rom/table.bin', 'rb') as f: t = memoryview(f.read())"
    assert mpremote(clean, "exec", code + "\nprint(in_rom.B, len(t))") == f"7 {len(CONTENT)}\n"


def test_heap_is_twice_that_of_a_board(board):
    """The VM's words are twice as long; its tables and buffers of the heap take some of it."""
    size = int(mpremote(board, "exec", "import gc; print(gc.mem_free() + gc.mem_alloc())"))
    assert 0.95 * 2 * 131072 < size <= 2 * 131072


def test_soft_reset_in_the_raw_repl_runs_boot_but_not_main(clean):
    with raw_repl(clean) as repl:
        repl.fs_writefile("boot.py", b"print('boot')\nfrom_boot = 1\n")
        repl.fs_writefile("main.py", b"print('main')\nfrom_main = 2\n")
        repl.serial.write(b"\x04")
        shown = read_until(repl, b">" + b"OK\r\n")
        shown = read_until(repl, b"to exit\r\n>")
    assert shown == b"MPY: soft reboot\r\nboot\r\nraw REPL; CTRL-B to exit\r\n>"
    assert (
        mpremote(clean, "resume", "exec", "print('from_boot' in globals(), 'from_main' in globals())") == "True False\n"
    )


def test_soft_reset_in_the_friendly_repl_runs_main_with_the_repls_names(clean):
    with raw_repl(clean) as repl:
        repl.fs_writefile("main.py", b"print('main')\nfrom_main = 2\n")
        repl.exit_raw_repl()
        read_until(repl, b">>> ")
        repl.serial.write(b"\x04")
        assert read_until(repl, b"soft reboot\r\n") == b"\r\nMPY: soft reboot\r\n"
        assert read_until(repl, b">>> ").startswith(b"main\r\nMicroPython ")
        repl.serial.write(b"from_main + 1\r")
        assert b"\r\n3\r\n" in read_until(repl, b">>> ")


def test_traceback_of_main_is_shown_and_the_repl_comes(clean):
    with raw_repl(clean) as repl:
        repl.fs_writefile("main.py", b"def f():\n 1 // 0\nf()\n")
        repl.exit_raw_repl()
        read_until(repl, b">>> ")
        repl.serial.write(b"\x04")
        assert b'File "main.py", line 2, in f\r\nZeroDivisionError' in read_until(repl, b">>> ")


LISTEN = "import socket\ns = socket.socket()\ns.bind(socket.getaddrinfo('127.0.0.1', 0)[0][-1])\ns.listen(1)\n"


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "import machine\nmachine.lightsleep(1000000)",
        "import time\nwhile True: time.sleep_ms(1)",
        "import time\nwhile True: time.ticks_ms()",
        "import sys\nsys.stdin.read(5)",
        LISTEN + "s.accept()",
        "while True: bytearray(1000)",
    ],
)
def test_ctrl_c_interrupts(board, code):
    with raw_repl(board) as repl:
        for after_s in (0, 0.002, 0.05):
            output, error = interrupted(repl, code, after_s)
            assert output == "" and error.endswith("KeyboardInterrupt: \r\n"), (after_s, output, error)
        assert repl.exec("print(1)") == b"1\r\n"


def test_ctrl_c_is_a_byte_for_who_switched_it_off(board):
    with raw_repl(board) as repl:
        repl.exec_raw_no_follow(
            "import micropython as m, sys\nm.kbd_intr(-1)\nprint(sys.stdin.buffer.read(3))\nm.kbd_intr(3)"
        )
        repl.serial.write(b"a\x03b")
        assert repl.follow(5) == (b"b'a\\x03b'\n", b"")


WRITE = """
n = 0
try:
    while True:
        f = open('new%d' % (n % 3), 'wb')
        try:
            for k in range(20): f.write(bytes([n & 255]) * 100)
        finally:
            f.close()
        os.rename('new%d' % (n % 3), 'old%d' % (n % 3))
        n += 1
except KeyboardInterrupt:
    print('stopped')
"""


def test_ctrl_c_never_harms_the_file_system(clean):
    lives = clean.state()["lives"]
    with raw_repl(clean) as repl:
        for count in range(20):
            output, error = interrupted(repl, "import os" + WRITE, count * 0.001)
            assert output == "stopped\r\n" or (not output and "KeyboardInterrupt" in error)
    assert clean.state()["lives"] == lives + 1
    for name, content in files_of(image_of(clean)).items():
        assert name.startswith("new") or content == content[:1] * 2000


def test_files_that_are_never_closed_are_closed_by_the_collector(clean):
    lives = clean.state()["lives"] + 1
    leave = (
        "import gc\nfor i in range(100):\n f = open('x%d' % (i % 3), 'wb')\n f.write(b'abc' * 200)\n bytearray(3000)"
    )
    with raw_repl(clean) as repl:
        repl.exec(leave + "\nf = None\ngc.collect()")
    assert clean.state()["lives"] == lives
    assert files_of(image_of(clean)) == {f"x{number}": b"abc" * 200 for number in range(3)}


def test_board_goes_on_when_nobody_reads(clean):
    lives = clean.state()["lives"] + 1
    with raw_repl(clean) as repl:
        repl.exec_raw_no_follow("for i in range(20000): print('line', i)\nimport machine\nmachine.reset()")
    wait_until(lambda: clean.state()["lives"] > lives)


def test_sleep_is_as_fast_as_it_is_told(tmp_path):
    code = "import time\na, t = time.ticks_ms(), time.time()\ntime.sleep(600)\nb = time.ticks_diff(time.ticks_ms(), a)"
    with (
        own_registry(tmp_path),
        VirtualBoard.start(tmp_path / "fast.flash", speed=6000) as fast,
        raw_repl(fast) as repl,
    ):
        slept_ms, clock_s = map(int, repl.exec(code + "\nprint(b, time.time() - t)").split())
    assert 600_000 <= slept_ms < 603_000
    assert 600 <= clock_s <= 603


def test_orchards_sensors_are_attached(tmp_path):
    with own_registry(tmp_path), VirtualBoard.start(tmp_path / "field.flash", sensors=True) as field:
        assert {sensor["driver"] for sensor in field.config["sensors"]} >= {"sht4x", "soil_adc", "battery"}
        chip_id = "from machine import I2C; i = I2C(0); i.writeto(0x77, b'\\xd0'); b = bytearray(1)"
        assert mpremote(field, "exec", chip_id + "; i.readfrom_into(0x77, b); print(b[0])") == "97\n"
