"""A tipping bucket's counts, kept over resets, in small ints."""

from dibble import SensorError
from dibble.drivers import rain_gauge


class Port:
    """A port, its contact and its memory in one."""

    def __init__(self):
        self.now = 0
        self.tips = 0
        self.payload = None

    def pulses(self, pin, lockout_ms, pull_up):
        assert (lockout_ms, pull_up) == (50, True)
        return self

    def take(self):
        tips = self.tips
        self.tips = 0
        return tips

    def memory(self, name):
        return self

    def newest(self):
        return self.payload

    def write(self, payload):
        self.payload = payload

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, newer, older):
        return newer - older


def gauge_of(port, **given):
    settings = {"pin": 9}
    for name, _, _, _, default in rain_gauge.SETTINGS:
        settings.setdefault(name, default)
    settings.update(given)
    return rain_gauge.build(settings, port, None)


def read(gauge, port, tips, ms=600000):
    port.tips = tips
    port.now += ms
    return gauge.read()


def test_tips_are_micrometres_halves_up():
    port = Port()
    gauge = gauge_of(port)
    assert read(gauge, port, 1) == (279, 279)
    assert read(gauge, port, 4) == (1118, 1397)
    assert read(gauge, port, 0) == (0, 1397)


def test_a_new_boot_goes_on_from_what_was_kept():
    port = Port()
    read(gauge_of(port), port, 1000)
    assert read(gauge_of(port), port, 0) == (0, 279400)


def test_the_largest_total_is_a_small_int():
    port = Port()
    gauge = gauge_of(port, nm_per_tip=10000)
    gauge.tips = 99999990
    assert read(gauge, port, 10) == (100, 1000000000)
    assert read(gauge, port, 3) == (30, 30)


def test_a_bouncing_contact_is_told():
    port = Port()
    gauge = gauge_of(port)
    try:
        read(gauge, port, 1300)
        raise AssertionError("expected an error")
    except SensorError as error:
        assert "got 1300 in 600000 ms" in str(error)
