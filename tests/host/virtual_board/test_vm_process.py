"""The VM's process, by itself."""

import os
import select

from dibble_tools.simulator.node.wire import REQUEST
from dibble_tools.virtual_board.native import BOARD, NODE, compile_native
from dibble_tools.virtual_board.settings import Settings
from dibble_tools.virtual_board.vm_process import VmProcess
from patience import PATIENCE_S


def test_a_ctrl_c_while_it_starts_does_not_end_it(tmp_path):
    compile_native(tmp_path)
    image = tmp_path / "flash"
    image.write_bytes(b"\xff" * 65536)
    far_end, keyboard = os.pipe()
    vm = VmProcess(far_end, [tmp_path, BOARD, NODE], Settings("b", str(image), None, 131072), "friendly")
    try:
        deadline, pressed = PATIENCE_S * 1000, 0
        while not select.select([vm.requests], [], [], 0.001)[0] and pressed < deadline:
            vm.interrupt()
            pressed += 1
        request = vm.read_request(REQUEST)  # None: it has ended
        assert pressed and request and request[0] == ord("J")
    finally:
        vm.end()
        os.close(keyboard)
        os.close(far_end)
