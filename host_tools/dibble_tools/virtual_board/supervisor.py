"""What holds a virtual board together: its power supply, its serial port, its hardware, and one life of its VM after
another."""

import contextlib
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.node.flash import PowerCut
from dibble_tools.simulator.node.wire import ANSWER, POWER_ON, REQUEST, WATCHDOG, NodeHangs, NodeReset, WatchdogBite
from dibble_tools.virtual_board import registry
from dibble_tools.virtual_board.control import Control, Order
from dibble_tools.virtual_board.keyboard import CTRL_A, Keyboard
from dibble_tools.virtual_board.native import BOARD, NODE, compile_native
from dibble_tools.virtual_board.paced_hardware import PacedHardware
from dibble_tools.virtual_board.repl_mode import ReplMode
from dibble_tools.virtual_board.serial_port import SerialPort
from dibble_tools.virtual_board.settings import Settings
from dibble_tools.virtual_board.vm_process import VmProcess

HARD_RESET = 2  # machine.reset_cause()
SLICE_S = 0.25  # of a sleep, after which the world moves on
RETRY_S = 0.001
IDLE_S = 1.0
FAILED_STARTS = 2
RESET_LATE_S = 0.008
UNPLUGGED_S = 0.3  # until a computer has the USB port of a board that was reset


class Ended(Exception):
    """The VM's process has ended."""


class Supervisor:
    """A board from power-on to stop.

    Args:
        settings: of the board.
        folder: its own, in the registry.
        hardware: with flash and devices; its waits are this object's wait().
        lifeline: file descriptor whose end stops the board; -1: none.
        ready: called when the VM has come to boot.py for the first time.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        hardware: PacedHardware,
        lifeline: int = -1,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._hardware = hardware
        self._lifeline = lifeline
        self._ready = ready
        self._control = Control(folder / registry.CONTROL)
        self._keyboard = Keyboard()
        self._replies: list[Order] = []
        self._lives = 0
        compile_native(folder)
        self._plug_in()

    def run(self) -> None:
        """Live until somebody stops the board.

        Raises:
            InputError: the VM doesn't come up.
        """
        cause, mode = POWER_ON, "friendly"
        self._hardware.power_up(cause)
        failures = 0
        while True:
            ended = self._live(mode)
            failures = failures + 1 if ended in ("exit", "reset") and not self._begun else 0
            if ended == "stop":
                break
            if failures == FAILED_STARTS:
                raise InputError(f"expected the VM to come up, it said: {self._repl.tail()}; give it a larger --heap")
            if ended == "exit":
                self._port.write(b"MPY: soft reboot\r\n")
                self._hardware.soft_reset()
                mode = self._repl.mode
                continue
            mode = "friendly"
            cause = {"watchdog": WATCHDOG, "reset": HARD_RESET}.get(ended, POWER_ON)
            self._keyboard.clear()
            self._hardware.flash.cut_at([])
            self._hardware.on_power_lost()
            if ended == "cut" and not self._stay_off():
                break
            if ended in ("reset", "watchdog") and "reset_late" in self._hardware.unkind:
                self._unplug()
            self._hardware.power_up(cause)
        self._answer()

    def close(self) -> None:
        self._port.close()

    def wait(self, seconds: float) -> bool:
        """Let time pass while the VM waits for an answer; tell whether a Ctrl-C ends its sleep."""
        deadline = time.monotonic() + min(seconds, SLICE_S)
        while True:
            if self._hardware.interruptible and self._vm.unseen():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._step(left, with_requests=False)

    def _plug_in(self) -> None:
        """Give the board a port."""
        self._port = SerialPort()
        link = self._folder / registry.PORT
        link.unlink(missing_ok=True)
        link.symlink_to(self._port.name)

    def _unplug(self) -> None:
        """Let the port vanish and come back, as USB does at a reset."""
        time.sleep(RESET_LATE_S)
        self._port.close()
        (self._folder / registry.PORT).unlink()
        time.sleep(UNPLUGGED_S)
        self._plug_in()

    def _stay_off(self) -> bool:
        """Wait without power for it to come back; False: to be stopped."""
        self._port.close()
        (self._folder / registry.PORT).unlink()
        self._answer()
        while True:
            ends: list[Any] = [self._control, *self._lifelines()]
            ready = select.select(ends, [], [])[0]
            if self._lifeline in ready:
                return False
            order = self._control.accept()
            if order is None:
                continue
            if order.kind in ("power", "stop"):
                self._replies.append(order)
                if order.kind == "power":
                    self._plug_in()
                return order.kind == "power"
            if order.kind in ("state", "cut"):
                self._tell(order, power=False)
            else:
                order.answer(error="expected a board with power, it has none: give it some")

    def _live(self, mode: str) -> str:
        """Give the VM power; return what ended it: "exit", "reset", "watchdog", "cut" or "stop"."""
        self._lives += 1
        self._begun = False
        self._boot_mode = mode
        self._repl = ReplMode(mode)
        self._port.raw = False
        path = [self._folder, BOARD, NODE]
        vm = self._vm = VmProcess(self._keyboard.far_end, path, self._settings, mode)
        try:
            while True:
                bite_s = self._hardware.seconds_to_bite()
                if self._step(IDLE_S if bite_s is None else min(IDLE_S, bite_s), with_requests=True):
                    request = vm.read_request(REQUEST)
                    if request is None:
                        raise Ended
                    with contextlib.suppress(NodeHangs):  # it waits for its answer until its power is cut
                        vm.answer(self._serve(*request))
                self._hardware.catch_up()
        except Ended:
            return "reset" if vm.crashed() else "exit"
        except NodeReset:
            return "reset"
        except WatchdogBite:
            return "watchdog"
        except PowerCut:
            return "cut"
        except StopBoard:
            return "stop"
        finally:
            vm.process.kill()
            vm.process.wait()
            self._show_all()
            vm.end()

    def _serve(self, operation: int, a: int, b: int, data: bytes) -> bytes:
        """Return the answer to one request; those of the board's own are J, Y and V."""
        if operation == ord("Y"):
            self._reached(a)
        elif operation == ord("J"):
            self._vm.learn(data)
        elif operation == ord("V"):
            self._show_all()
            self._port.raw = bool(a)
        else:
            return self._hardware.handle(operation, a, b, data)
        return ANSWER.pack(0, self._hardware.ticks_ms(), 0)

    def _reached(self, stage: int) -> None:
        """The VM comes to boot.py (0) or to its REPL (1)."""
        if stage == 0:
            self._begun = True
            self._answer()
            self._ready()
            self._ready = lambda: None
            return
        self._show_all()
        if self._boot_mode == "raw":
            self._repl.enter_raw()
            self._keyboard.press(CTRL_A)

    def _step(self, seconds: float, *, with_requests: bool) -> bool:
        """Wait for something to happen, deal with it; tell whether the VM has a request."""
        vm = self._vm
        ends: list[Any] = [self._port, self._control, *self._lifelines()]
        flushed = self._port.flush()
        if flushed:
            ends.append(vm.output)
        if with_requests:
            ends.append(vm.requests)
        retry = not flushed or (self._begun and self._keyboard.busy(vm))
        ready = select.select(ends, [], [], min(seconds, RETRY_S) if retry else seconds)[0]
        if self._lifeline in ready:
            raise StopBoard
        if self._control in ready:
            self._obey(self._control.accept())
        if self._port in ready:
            self._keyboard.type(self._port.read(), vm)
        if vm.output in ready:
            printed = vm.read_output()
            if printed is None:
                raise Ended
            self._port.write(self._repl.shown(printed))
            if not self._begun and self._repl.greeted():
                raise Ended  # power_on.py failed
        if self._begun:
            self._keyboard.feed(vm)
            if with_requests and vm.unseen():
                vm.nudge()
        return vm.requests in ready

    def _show_all(self) -> None:
        """Pass on all that the VM has printed."""
        while printed := self._vm.read_output():
            self._port.write(self._repl.shown(printed))

    def _obey(self, order: Order | None) -> None:
        if order is None:
            return
        if order.kind == "cut" and "after" in order.content:
            after, torn = order.content["after"], order.content.get("torn", 0)
            if not isinstance(after, int) or after < 1 or not isinstance(torn, int | float) or not 0 <= torn <= 1:
                order.answer(error=f"expected a cut after 1 or more, torn 0 to 1, got {after!r}, {torn!r}")
                return
            self._hardware.flash.cut_at([after], torn=torn)
        elif order.kind in ("cut", "reset", "stop"):
            self._replies.append(order)
            raise {"cut": PowerCut, "reset": NodeReset, "stop": StopBoard}[order.kind]
        elif order.kind not in ("state", "power"):
            order.answer(error=f"expected the order state, cut, power, reset or stop, got {order.kind}")
            return
        self._tell(order, power=True)

    def _answer(self) -> None:
        """Tell who gave an order that it is done."""
        for order in self._replies:
            self._tell(order, power=order.kind in ("power", "reset"))
        self._replies = []

    def _tell(self, order: Order, *, power: bool) -> None:
        order.answer(power=power, lives=self._lives, port=self._port.name, operations=self._hardware.flash.operations)

    def _lifelines(self) -> list[int]:
        return [self._lifeline] if self._lifeline >= 0 else []


class StopBoard(Exception):
    """Somebody stops the board."""
