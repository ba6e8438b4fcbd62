"""The simulated hardware under a real VM: time, interrupts, buses, flash, the watchdog and power cuts."""

from pathlib import Path

import pytest
from dibble_tools.machines.vms import VmError
from dibble_tools.simulator.node.bus import TICKS_PERIOD, Nack
from dibble_tools.simulator.node.flash import BLOCK_BYTES, Flash, PowerCut
from dibble_tools.simulator.node.vm import FieldVm
from dibble_tools.simulator.node.wire import POWER_ON, Hardware


class Echo:
    """Gives back what was written to it, reversed."""

    def __init__(self) -> None:
        self.last = b""

    def write(self, data: bytes) -> None:
        if data == b"\xff":
            raise Nack
        self.last = data

    def read(self, size: int) -> bytes:
        return self.last[::-1][:size].ljust(size, b"\0")


class Ticking:
    """A closing each 100 ms, for 30."""

    def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]:
        return [(us, us % 100_000 == 0) for us in range(-(-start_us // 10_000) * 10_000, end_us, 10_000)
                if us % 100_000 in (0, 30_000)]  # fmt: skip


def node(tmp_path: Path, main: str, **files: str) -> FieldVm:
    for name, text in {"main": main, **files}.items():
        (tmp_path / f"{name}.py").write_text(text)
    vm = FieldVm(Hardware(Flash(16), start_s=400_000_000))
    vm.install(tmp_path)
    return vm


def lines(vm: FieldVm) -> list[str]:
    return vm.text().splitlines()


def test_time_passes_only_in_sleep(tmp_path):
    vm = node(tmp_path, "import time\nprint(time.time())\ntime.sleep_ms(2500)\nprint(time.time(), time.gmtime()[:6])")
    assert vm.power(POWER_ON) == "end"
    assert lines(vm) == ["662774400", "662774402 (2021, 1, 1, 0, 0, 2)"]
    assert vm.hardware.awake_us == 2_500_000


def test_ticks_wrap_as_on_a_board(tmp_path):
    vm = node(
        tmp_path,
        "import time\na = time.ticks_ms()\ntime.sleep_ms(50)\nb = time.ticks_ms()\nprint(a, b, time.ticks_diff(b, a))",
    )
    vm.hardware.ticks_offset_ms = TICKS_PERIOD - 20 - vm.hardware.ticks_ms()
    vm.power(POWER_ON)
    first, second, diff = map(int, lines(vm)[0].split())
    assert first > second and diff == 50


def test_interrupts_arrive_in_their_moment(tmp_path):
    vm = node(
        tmp_path,
        "import time\nfrom machine import Pin\nat = []\nstart = time.ticks_ms()\n"
        "Pin(7).irq(lambda pin: at.append(time.ticks_ms() - start), Pin.IRQ_FALLING)\n"
        "time.sleep_ms(350)\nprint(at)",
    )
    vm.hardware.pulses[7] = Ticking()
    vm.power(POWER_ON)
    assert lines(vm) == ["[0, 100, 200, 300]"]


def test_interrupts_of_both_edges_see_the_level_of_their_moment(tmp_path):
    vm = node(
        tmp_path,
        "import time\nfrom machine import Pin\nat = []\nstart = time.ticks_ms()\npin = Pin(7, Pin.IN, Pin.PULL_UP)\n"
        "pin.irq(lambda _: at.append((time.ticks_ms() - start, pin.value())), Pin.IRQ_FALLING | Pin.IRQ_RISING)\n"
        "time.sleep_ms(150)\nprint(at)",
    )
    vm.hardware.pulses[7] = Ticking()
    vm.power(POWER_ON)
    assert lines(vm) == ["[(0, 0), (30, 1), (100, 0), (130, 1)]"]


def test_an_interrupt_that_comes_late_sees_what_is_by_then(tmp_path):
    vm = node(
        tmp_path,
        "import time\nfrom machine import Pin\nat = []\npin = Pin(7, Pin.IN, Pin.PULL_UP)\n"
        "pin.irq(lambda _: at.append(pin.value()), Pin.IRQ_FALLING | Pin.IRQ_RISING)\ntime.sleep_ms(50)\nprint(at)",
    )
    begin = vm.hardware.now_us

    class Bouncing:
        def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]:
            moments = [(10_000, True), (10_040, False), (10_090, True), (30_000, False)]
            return [(begin + at, closed) for at, closed in moments if start_us <= begin + at < end_us]

    vm.hardware.pulses[7] = Bouncing()
    vm.power(POWER_ON)
    assert lines(vm) == ["[0, 0, 0, 1]"]


def test_i2c_reaches_the_device_and_a_silent_address_is_an_error(tmp_path):
    vm = node(
        tmp_path,
        "from machine import I2C\nbus = I2C(0)\nbus.writeto(9, b'abc')\nb = bytearray(3)\nbus.readfrom_into(9, b)\n"
        "print(b, bus.scan())\n"
        "for address, data in ((9, b'\\xff'), (10, b'a')):\n"
        "    try:\n        bus.writeto(address, data)\n    except OSError as error:\n        print(error.errno)",
    )
    vm.hardware.i2c[9] = Echo()
    vm.power(POWER_ON)
    assert lines(vm) == ["bytearray(b'cba') [9]", "5", "5"]


def test_files_outlive_the_vm(tmp_path):
    vm = node(
        tmp_path,
        "try:\n    print(open('/kept').read())\n"
        "except OSError:\n    with open('/kept', 'w') as f:\n        f.write('yes')",
    )
    assert [vm.power(POWER_ON), vm.power(POWER_ON)] == ["end", "end"]
    assert lines(vm) == ["yes"]


def test_power_cut_ends_the_vm_in_the_middle_of_a_write(tmp_path):
    vm = node(tmp_path, "with open('/new', 'wb') as f:\n    f.write(bytes(9000))\nprint('written')")
    vm.flash.cut_at([2], torn=0.5)
    assert vm.power(POWER_ON) == "cut"
    assert vm.text() == "" and vm.flash.operations == 2
    vm.flash.cut_at([])
    assert vm.power(POWER_ON) == "end"
    assert lines(vm) == ["written"]


def test_hardware_needs_no_heap_and_never_garbles_an_answer(tmp_path):
    vm = node(
        tmp_path,
        "import machine\nbus = machine.I2C(0)\nkept = []\nread = bytearray(3)\ni = right = 0\n"
        "try:\n    while True:\n        kept.append(bytearray(40))\nexcept MemoryError:\n    pass\n"
        "try:\n    while True:\n        kept = [kept]\nexcept MemoryError:\n    pass\n"
        "for i in range(100):\n    bus.writeto(9, b'abc')\n    bus.readfrom_into(9, read)\n"
        "    if read == b'cba':\n        right += 1\n"
        "kept = None\nprint(right)",
    )
    vm.hardware.i2c[9] = Echo()
    assert vm.power(POWER_ON) == "end"
    assert lines(vm) == ["100"]


def test_watchdog_bites_who_sleeps_too_long(tmp_path):
    vm = node(tmp_path, "import machine, time\nw = machine.WDT(timeout=8000)\ntime.sleep(5)\nw.feed()\ntime.sleep(60)")
    assert vm.power(POWER_ON) == "watchdog"
    assert vm.hardware.now_us == 400_000_013_000_000


def test_watchdog_bites_who_hangs_without_sleeping(tmp_path, monkeypatch):
    monkeypatch.setattr("dibble_tools.simulator.node.vm.HANG_S", 1)
    vm = node(tmp_path, "import machine\nmachine.WDT(timeout=8000)\nwhile True:\n    pass")
    assert vm.power(POWER_ON) == "watchdog"


def test_hang_without_a_watchdog_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("dibble_tools.simulator.node.vm.HANG_S", 1)
    vm = node(tmp_path, "while True:\n    pass")
    with pytest.raises(VmError, match="1 s without a request"):
        vm.power(POWER_ON)


def test_exception_of_the_node_is_an_error_with_its_traceback(tmp_path):
    vm = node(tmp_path, "print('before')\n1 // 0")
    with pytest.raises(VmError, match="ZeroDivisionError"):
        vm.power(POWER_ON)


def test_programs_clear_bits_and_erasing_sets_them():
    flash = Flash(1)
    flash.program(0, 0, b"\xf0\x0f")
    flash.program(0, 0, b"\x3c")
    assert flash.read(0, 0, 3) == b"\x30\x0f\xff"
    flash.erase(0)
    assert flash.read(0, 0, 2) == b"\xff\xff"
    assert (flash.operations, flash.programmed_bytes, flash.erases) == (3, 3, [1])


def test_torn_operation_happens_in_part():
    flash = Flash(1)
    flash.cut_at([1], torn=0.5)
    with pytest.raises(PowerCut):
        flash.program(0, 10, bytes(8))
    assert flash.read(0, 10, 8) == bytes(4) + b"\xff" * 4


def test_place_outside_the_chip_is_refused():
    with pytest.raises(ValueError, match="block 1"):
        Flash(1).read(1, 0, 1)
    with pytest.raises(ValueError, match="4096"):
        Flash(1).read(0, BLOCK_BYTES, 1)
