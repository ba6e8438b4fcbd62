"""A cell that sags under its loads, and a board that resets when its voltage falls too low."""

from dibble_tools.simulator.node.flash import PowerCut
from dibble_tools.simulator.node.wire import Hardware

NODE_MA = 30.0  # awake: boards/*.toml
BROWN_OUT_V = 3.0  # at the cell: an ESP32's detector trips at 2.4 to 2.8 V behind its regulator; chosen


class SaggingSupply:
    """Ohm's law over an inner resistance: a cold, old or small lithium cell has some tenths of an ohm, cables more.

    The brown-out comes as the output is switched: PowerCut, from which the load is off and the voltage back.

    Args:
        hardware: whose outputs switch the loads.
        loads_ma: pin -> current while it is high.
        open_v: without any load; inner_ohm.
    """

    def __init__(self, hardware: Hardware, loads_ma: dict[int, float], open_v: float, inner_ohm: float) -> None:
        self.hardware = hardware
        self.loads_ma = loads_ma
        self.open_v = open_v
        self.inner_ohm = inner_ohm
        self.brown_outs = 0
        self._watched = hardware.on_output
        hardware.on_output = self._switched

    def volts(self) -> float:
        load_ma = NODE_MA + sum(ma for pin, ma in self.loads_ma.items() if self.hardware.outputs.get(pin))
        return self.open_v - self.inner_ohm * load_ma / 1000

    def _switched(self, pin: int, level: int) -> None:
        self._watched(pin, level)
        if self.volts() < BROWN_OUT_V:
            self.brown_outs += 1
            for each in self.loads_ma:
                if self.hardware.outputs.get(each):
                    self._watched(each, 0)
            raise PowerCut
