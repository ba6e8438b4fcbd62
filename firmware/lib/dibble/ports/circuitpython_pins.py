"""CircuitPython's pins, by their names in `board`: I2C, analog, output, 1-Wire."""

import analogio
import board
import busio
import digitalio
import microcontroller

from dibble import ConfigError, SensorError
from dibble.ports.shared import END_STEPS, NoOutput, silent

_LOCK_MS = 50
_owners = {}  # (class, pin) -> object: CircuitPython gives a pin only once, but two drivers may share one


def named(pin):
    """Return the board's pin of a name; raise ConfigError with the names there are."""
    found = getattr(board, str(pin), None)
    if found is None:
        names = [name for name in dir(board) if isinstance(getattr(board, name), microcontroller.Pin)]
        raise ConfigError("expected a pin of this board (%s), got %r" % (", ".join(names), pin))
    return found


def _owner(kind, pin, *more):
    """Return the object of a class that has a pin; make it where there is none yet."""
    found = named(pin)
    if (kind, found) not in _owners:
        try:
            _owners[(kind, found)] = kind(found, *more)
        except (ValueError, TypeError, RuntimeError) as error:  # in use, no pin at all, or not for this
            raise ConfigError("expected pin %s free and fit for its use, got: %s" % (pin, error))
    return _owners[(kind, found)]


class _Bus:
    """I2C whose silence is a SensorError."""

    def __init__(self, sda, scl, frequency_hz):
        self._sda = named(sda)
        self._scl = named(scl)
        self._frequency_hz = frequency_hz
        self._i2c = None
        try:
            self._made()
        except SensorError:
            pass  # whoever asks for a sensor hears of it

    @property
    def raw(self):
        """The runtime's own object, for Adafruit's libraries."""
        return self._made()

    def write(self, address, data):
        i2c = self._locked()
        try:
            i2c.writeto(address, data)
        except OSError as error:
            raise silent(address, error)
        finally:
            i2c.unlock()

    def read_into(self, address, buffer):
        i2c = self._locked()
        try:
            i2c.readfrom_into(address, buffer)
        except OSError as error:
            raise silent(address, error)
        finally:
            i2c.unlock()

    def write_read_into(self, address, data, buffer):
        i2c = self._locked()
        try:
            i2c.writeto_then_readfrom(address, data, buffer)
        except OSError as error:
            raise silent(address, error)
        finally:
            i2c.unlock()

    def _made(self):
        """Return the bus; without pull-ups, which come with the sensors' boards, CircuitPython makes none."""
        if self._i2c is None:
            try:
                self._i2c = busio.I2C(self._scl, self._sda, frequency=self._frequency_hz)
            except RuntimeError as error:
                raise SensorError("expected pull-ups on the I2C pins, got: %s" % error)
            except ValueError as error:
                raise ConfigError("config.i2c: expected pins that share an I2C peripheral, got: %s" % error)
        return self._i2c

    def _locked(self):
        i2c = self._made()
        for _ in range(_LOCK_MS):
            if i2c.try_lock():
                return i2c
            microcontroller.delay_us(1000)
        raise SensorError("expected the I2C bus free within %d ms, got it locked" % _LOCK_MS)


def i2c(sda, scl, frequency_hz):
    """Return the bus on two pins that the chip has an I2C peripheral for."""
    return _Bus(sda, scl, frequency_hz)


class _Analog:
    def __init__(self, pin):
        self._input = analogio.AnalogIn(pin)
        self.at_end = False
        self._reference_mv = (int(self._input.reference_voltage * 10000) + 5) // 10

    def read_uv(self):
        """Return microvolts: value * reference : 65535, below 2**30 at each step for references up to 5 V."""
        steps = self._input.value
        self.at_end = steps >= END_STEPS
        product = steps * self._reference_mv
        return product // 65535 * 1000 + product % 65535 * 1000 // 65535


def analog(pin):
    return _owner(_Analog, pin)


class _Output:
    def __init__(self, pin, value):
        self._pin = digitalio.DigitalInOut(pin)
        self._pin.switch_to_output(value=bool(value))

    def set(self, value):
        self._pin.value = bool(value)


def output(pin, value=0):
    """Return a pin that drives `value`, from its first moment, until set."""
    return _owner(_Output, pin, value)


def status_led():
    """Return the board's own LED, or a pin of air where it has none."""
    try:
        return output("LED")
    except ConfigError:
        return NoOutput()


class _OneWire:
    def __init__(self, pin):
        import onewireio

        self._wire = onewireio.OneWire(pin)

    def reset(self):
        """Return whether a device answered; it does so by pulling the line low, which reads as False."""
        return not self._wire.reset()

    def write(self, byte):
        for i in range(8):
            self._wire.write_bit(bool(byte >> i & 1))

    def read(self):
        byte = 0
        for i in range(8):
            byte |= self._wire.read_bit() << i
        return byte

    def write_bit(self, bit):
        self._wire.write_bit(bool(bit))

    def read_bit(self):
        return self._wire.read_bit()


def onewire(pin):
    return _owner(_OneWire, pin)
