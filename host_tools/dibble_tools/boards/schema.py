"""The schema of a boards/NAME.toml: fields, types, units and limits. boards/README.md says what each means."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dibble_tools.simulator.unkindness import UNKINDNESSES

KINDS = ("measured", "published", "data sheet", "source code", "chosen", "recalled, unverified", "guess")
# How far a figure of each kind may be off, either way, where its source doesn't say.
WITHIN = dict(zip(KINDS, (1.05, 1.3, 1.3, 1.0, 1.0, 1.5, 2.0), strict=True))
ALL = "all"
RUNTIMES = ("micropython", "circuitpython")

Label = Annotated[str, Field(max_length=10)]
Text = Annotated[str, Field(min_length=1, max_length=120)]
PinValue = Annotated[int, Field(ge=0, le=255)] | Annotated[str, Field(min_length=1, max_length=15)]
Bytes = Annotated[int, Field(ge=1, le=1 << 30)]
MilliAmpere = Annotated[float, Field(gt=0, le=1000)]


class Strict(BaseModel):
    """No unknown fields, no silent conversions but of a whole number to a float."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FigureSource(Strict):
    """Where a figure comes from.

    Attributes:
        within: factor by which it may be off, either way.
    """

    kind: Literal["measured", "published", "data sheet", "source code", "chosen", "recalled, unverified", "guess"]
    text: str = Field(min_length=3, max_length=300)
    within: float | None = Field(default=None, ge=1, le=20)

    @property
    def spread(self) -> float:
        return self.within or WITHIN[self.kind]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Group(Strict):
    """Figures with the source of each: by its name, or one for all that have none of their own."""

    UNSOURCED: ClassVar[tuple[str, ...]] = ("sources",)
    sources: dict[str, FigureSource]

    def source(self, name: str) -> FigureSource:
        return self.sources.get(name) or self.sources[ALL]

    @model_validator(mode="after")
    def _every_figure_has_a_source(self) -> Self:
        figures = [name for name in type(self).model_fields if name not in self.UNSOURCED]
        for name in self.sources:
            if name not in (*figures, ALL):
                raise ValueError(f"sources: expected names of figures ({', '.join([ALL, *figures])}), got {name}")
        missing = [name for name in figures if name not in self.sources and ALL not in self.sources]
        if missing:
            raise ValueError(f"sources: expected one of {', '.join(missing)}, or of {ALL}, got none")
        return self


class Chip(Group):
    name: Text
    core: Text
    mhz: int = Field(ge=1, le=1000)
    fpu: bool
    ram_bytes: Bytes
    flash_bytes: Bytes
    radio: Literal["none", "wifi", "bluetooth"]


class PinHeader(Group):
    """The board's edges as one looks at it: labels from top to bottom, "" for a gap."""

    UNSOURCED = ("sources", "caution")
    usb: Literal["top", "bottom", "none"]
    left: list[Label] = Field(min_length=1, max_length=40)
    right: list[Label] = Field(max_length=40)
    adc: list[Label] = Field(min_length=1)
    input_only: list[Label] = []
    no_pull_up: list[Label] = []
    caution: dict[str, Text] = {}

    @property
    def labels(self) -> list[str]:
        return [label for label in (*self.left, *self.right) if label]

    @model_validator(mode="after")
    def _names_are_on_the_header(self) -> Self:
        for field in ("adc", "input_only", "no_pull_up", "caution"):
            for label in getattr(self, field):
                if label not in self.labels:
                    raise ValueError(f"{field}: expected a label of left or right, got {label!r}")
        return self


class ModelLimits(Group):
    model_bytes: Bytes
    heap_bytes: Bytes
    predict_us: int = Field(ge=1, le=10_000_000)


class Power(Group):
    """Currents of the board, in mA; wifi_s is the time that a report by Wi-Fi takes, connecting included."""

    active_ma: MilliAmpere
    standing_ma: float = Field(ge=0, le=100)
    wifi_ma: float = Field(default=0.0, ge=0, le=1000)
    wifi_s: float = Field(default=0.0, ge=0, le=60)


class I2c(Strict):
    """Labels of the header, and whether the runtime takes these by itself where none are named."""

    sda: Label
    scl: Label
    default: bool = True


class BatteryPin(Strict):
    """The board's own divider from its battery to an analog pin."""

    pin: PinValue
    divider_permille: int = Field(ge=1000, le=20000)


class Runtime(Group):
    """A board under MicroPython or CircuitPython."""

    UNSOURCED = ("sources", "notes", "build", "led_inverted", "i2c_power", "unkind")
    build: Text
    node: Literal["full", "small", "model only"]
    pins: dict[Label, PinValue] = Field(min_length=3)
    i2c: I2c
    more_i2c: list[I2c] = []
    i2c_power: PinValue | None = None
    led: PinValue | None = None
    led_inverted: bool = False
    battery: BatteryPin | None = None
    heap_bytes: Bytes
    filesystem: Literal["littlefs2", "littlefs1", "fat", "flat"]
    filesystem_bytes: Bytes
    block_bytes: int = Field(ge=64, le=65536)
    hears: list[Literal["i2s_mic", "adc_mic", "pdm_mic"]] = []
    viper: bool
    mpy_arch: Literal["", "armv6m", "armv7m", "armv7emsp", "xtensawin", "rv32imc"] = ""
    small_int_bits: int = Field(ge=16, le=63)
    long_ints: bool
    watchdog_max_ms: int = Field(ge=0, le=60000)
    sleeps_with_watchdog: bool
    idle_ma: MilliAmpere
    light_sleep_ma: MilliAmpere
    us_per_instruction: float = Field(gt=0, le=10)
    viper_share: float = Field(default=1.0, gt=0, le=1)
    unkind: dict[str, Text] = {}
    notes: list[str] = []

    @field_validator("unkind")
    @classmethod
    def _unkindnesses_are_known(cls, unkind: dict[str, str]) -> dict[str, str]:
        known = [name for name, each in UNKINDNESSES.items() if each.of == "board"]
        for name in unkind:
            if name not in known:
                raise ValueError(f"expected names of {', '.join(known)}, got {name!r}")
        return unkind

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for bus in (self.i2c, *self.more_i2c):
            for label in (bus.sda, bus.scl):
                if label not in self.pins:
                    raise ValueError(f"i2c: expected labels of pins, got {label!r}")
        if len(set(self.pins.values())) != len(self.pins):
            raise ValueError("pins: expected a value of its own for each label, got one twice")
        if self.viper and (not self.mpy_arch or self.viper_share == 1):
            raise ValueError("viper: expected mpy_arch and viper_share with it, got none")
        if self.light_sleep_ma > self.idle_ma:
            raise ValueError(f"light_sleep_ma: expected at most idle_ma ({self.idle_ma}), got {self.light_sleep_ma}")
        return self


class Board(Strict):
    """A board; `title` is its maker's name, the file's name is what dibble calls it."""

    title: Text
    aliases: list[Text] = []
    chip: Chip
    header: PinHeader
    limits: ModelLimits
    power: Power
    runtimes: dict[Literal["micropython", "circuitpython"], Runtime] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for name, runtime in self.runtimes.items():
            for label in runtime.pins:
                if label not in self.header.labels:
                    raise ValueError(f"runtimes.{name}.pins: expected labels of the header, got {label!r}")
            if not set(self.header.adc) & set(runtime.pins):
                raise ValueError(f"runtimes.{name}.pins: expected a pin of header.adc among them, got none")
            if runtime.heap_bytes > self.chip.ram_bytes:
                raise ValueError(
                    f"runtimes.{name}.heap_bytes: expected at most chip.ram_bytes ({self.chip.ram_bytes}), "
                    f"got {runtime.heap_bytes}"
                )
            if runtime.filesystem_bytes > self.chip.flash_bytes:
                raise ValueError(
                    f"runtimes.{name}.filesystem_bytes: expected at most chip.flash_bytes "
                    f"({self.chip.flash_bytes}), got {runtime.filesystem_bytes}"
                )
            if name == "circuitpython" and runtime.viper:
                raise ValueError("runtimes.circuitpython.viper: expected false: no board's build has it, got true")
        if self.power.wifi_ma and self.chip.radio != "wifi":
            raise ValueError(f"power.wifi_ma: expected 0 without wifi, got {self.power.wifi_ma}")
        return self

    def runtime(self, name: str | None) -> tuple[str, Runtime]:
        """Return (name, runtime): the one asked for, else the first there is.

        Raises:
            KeyError: it doesn't run here.
        """
        chosen = name or next(each for each in RUNTIMES if each in self.runtimes)
        return chosen, self.runtimes[chosen]  # type: ignore[index]
