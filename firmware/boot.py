"""CircuitPython runs this before USB comes up: may the node write the drive, or the computer? Never both.

The node may, so that it can keep its log; the computer sees the drive read-only then. The computer may
- with `DIBBLE_USB_WRITES = 1` in settings.toml,
- with a file `usb_writes` on the drive, for builds without settings.toml,
- while the pin named by `DIBBLE_USB_PIN = "GP22"` in settings.toml is connected to ground,
- in CircuitPython's safe mode (press reset in the second after power-on), where this file isn't run.
The node runs all the same and says in its lines that nothing is logged; its boot state is in nvm. Where its reports
go by radio or wire that is the safest way: a cut while FAT's directories are written takes the whole drive.

Prints nothing: CircuitPython writes what boot.py prints to a file, and each write of the flash is a risk.
An error in here leaves the drive to the computer, which can mend it. MicroPython runs this file too, where it is
copied, and then finds nothing to do.
"""

import os


def setting(name):
    """Return what settings.toml has under a name, None where there is none."""
    try:
        return os.getenv(name)
    except AttributeError:  # a build without settings.toml
        return None
    except ValueError:  # `true` isn't an int for getenv()
        return 1


def computer_writes():
    """Tell whether somebody wants the computer to write."""
    import board
    import digitalio

    if setting("DIBBLE_USB_WRITES") not in (None, 0, "0", "") or "usb_writes" in os.listdir("/"):
        return True
    name = setting("DIBBLE_USB_PIN")
    if not name:
        return False
    jumper = digitalio.DigitalInOut(getattr(board, str(name)))
    jumper.switch_to_input(pull=digitalio.Pull.UP)
    grounded = not jumper.value
    jumper.deinit()
    return grounded


def prepare():
    import storage
    import supervisor

    # A computer that copies ten files would start the node anew ten times: each counts as a boot.
    supervisor.runtime.autoreload = False
    if not computer_writes():
        storage.remount("/", readonly=False)


try:
    prepare()
except ImportError:  # MicroPython, which skips main.py after an error in here
    pass
