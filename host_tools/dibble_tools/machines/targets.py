"""The microcontrollers that a C program is checked on: how it is built for each, and what simulates it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A microcontroller.

    Attributes:
        name: of it; native/ has node_NAME.c and check_NAME.c.
        flash_bytes, ram_bytes: what it has.
        compiler: with all options, those of the linker included.
        size: the command that tells a program's sections.
        simulator: the command that runs check.elf until it ends by itself.
        unit: of what the simulator counts.
    """

    name: str
    flash_bytes: int
    ram_bytes: int
    compiler: tuple[str, ...]
    size: str
    simulator: tuple[str, ...]
    unit: str


_SECTIONS = ("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
ATMEGA328P = Target(
    name="atmega328p",
    flash_bytes=32 << 10,
    ram_bytes=2 << 10,
    compiler=("avr-gcc", "-mmcu=atmega328p", "-Os", *_SECTIONS),
    size="avr-size",
    simulator=("simavr", "-m", "atmega328p", "-f", "16000000", "check.elf"),
    unit="cycles",
)
CORTEX_M0 = Target(
    name="cortex_m0",
    flash_bytes=256 << 10,
    ram_bytes=16 << 10,
    compiler=(
        *("arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb", "-O2", *_SECTIONS),
        *("-nostartfiles", "-T", "cortex_m0.ld", "-Wl,--no-warn-rwx-segments"),
    ),
    size="arm-none-eabi-size",
    simulator=(
        *("qemu-system-arm", "-M", "microbit", "-icount", "shift=8,align=off,sleep=off", "-display", "none"),
        *("-monitor", "none", "-serial", "none", "-chardev", "stdio,id=out", "-kernel", "check.elf"),
        *("-semihosting-config", "enable=on,target=native,chardev=out"),
    ),
    unit="instructions",
)
