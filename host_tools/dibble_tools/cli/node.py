"""Commands that write what a node or its network needs: `dibble library`, `microbit`, `lorawan`, `unroll`."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError
from dibble_tools.common.terminal import write

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="model.dib, or the folder it lies in")]


def microbit(
    model: ModelPath,
    out: Annotated[Path, typer.Option(help="folder for the files; made where it isn't there")],
    probe: Annotated[
        list[str],
        typer.Option(
            help="a soil probe as PIN:DRY_MV:WET_MV, such as 0:2300:1200; one for each of the model's channels"
        ),
    ],
    when: Annotated[str, typer.Option("--class", help="the model's class that switches the relay on")],
    relay: Annotated[int, typer.Option(help="its pin")] = 16,
    node: Annotated[str, typer.Option(help="its name on the serial console")] = "microbit",
    interval: Annotated[int, typer.Option(help="seconds from one reading to the next")] = 600,
    max_on: Annotated[int, typer.Option(help="longest time on, in seconds")] = 900,
    rest: Annotated[int, typer.Option(help="least time off after that, in seconds")] = 43200,
) -> None:
    """Write a minimal node for a micro:bit v1: one or two soil probes, a relay, the display, the serial console.

    Copy the files with `ufs put` or `microfs`, main.py last. A model that is too large fails there with a MemoryError:
    some 450 bytes of forest or 650 of an additive model fit.
    """
    from dibble_tools.export.microbit.node import Probe, SmallNode, write_small_node

    settings = SmallNode(
        probes=[Probe(*_probe(text)) for text in probe],
        relay_pin=relay,
        action_class=when,
        node=node,
        interval_s=interval,
        max_on_s=max_on,
        rest_s=rest,
    )
    for path in write_small_node(model, out, settings):
        console.print(f"wrote {path}", markup=False, soft_wrap=True)


def lorawan(
    model: ModelPath,
    out: Annotated[Path | None, typer.Option(help="write here instead of to stdout")] = None,
) -> None:
    """Write the JavaScript payload formatter of a model, for The Things Stack.

    The node's dibble.report.lorawan.Packer makes at most 12 bytes of a decision, which this decodes.
    """
    from dibble_tools.common.files import write_atomically
    from dibble_tools.export.lorawan import write_decoder

    text = write_decoder(model)
    if out is None:
        write(text + "\n")
    else:
        write_atomically(out, text.encode())
        console.print(f"wrote {out}", markup=False, soft_wrap=True)


def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="model.dib, gate.dib, voice.dib or config.json")],
    key: Annotated[Path, typer.Option(help="the node's key, as `dibble new` made it")] = Path("node.key"),
    kind: Annotated[str | None, typer.Option("--as", help="its name on the node, where its own is another one")] = None,
    counter: Annotated[
        int | None, typer.Option(help="what has to be higher than that of every older file; else by the clock")
    ] = None,
) -> None:
    """Sign a model or a configuration for a node that has a key: writes FILE.sig, to be copied before FILE.

    `dibble deploy` signs by itself. The node takes no older file than the last one that it took.
    """
    from dibble.storage.signatures import SUFFIX

    from dibble_tools.common.files import write_atomically
    from dibble_tools.node.signatures import KINDS, counter_after, kind_of, read_key
    from dibble_tools.node.signatures import sign as signature_of

    if kind not in (None, *KINDS):
        raise InputError(f"--as: expected {', '.join(KINDS)}, got {kind!r}")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: expected a model or a configuration, got: {error.strerror}") from None
    kind = kind or kind_of(file)
    counter = counter_after(0) if counter is None else counter
    out = file.with_name(file.name + SUFFIX)
    write_atomically(out, signature_of(read_key(key), kind, counter, content))
    console.print(f"wrote {out}: {kind}, counter {counter}", markup=False, soft_wrap=True)


def _probe(text: str) -> tuple[int, int, int]:
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise InputError(f"--probe: expected PIN:DRY_MV:WET_MV, such as 0:2300:1200, got {text!r}")
    return int(parts[0]), int(parts[1]), int(parts[2])


def unroll(
    model: ModelPath,
    out: Annotated[Path, typer.Option(help="Python file to write")] = Path("model_code.py"),
) -> None:
    """Write a model as straight-line code, for boards without viper: a prediction in a third to a fifth of the time.

    On the node: `import model_code; node = load("model.dib", model_code)`. As .mpy it takes some 13 bytes of
    heap a split. It belongs to this very file, whose CRC-32 it names. Where there is viper, the tables are quicker.
    """
    from dibble_tools.common.files import write_atomically
    from dibble_tools.export.unrolled import unrolled_source
    from dibble_tools.model.host_model import HostModel

    write_atomically(out, unrolled_source(HostModel.open(model)).encode())
    console.print(f"wrote {out}", markup=False, soft_wrap=True)


def library(
    family: Annotated[
        str, typer.Argument(metavar="FAMILY", help="forest, additive, mlp, stream, maps, or all of them")
    ],
    out: Annotated[Path | None, typer.Option(help="folder to write; library_FAMILY unless told")] = None,
    arch: Annotated[
        str,
        typer.Option(
            help="machine code for armv6m (RP2040), armv7emsp (RP2350, STM32F4), xtensawin (ESP32) …; none: any"
        ),
    ] = "",
    novelty: Annotated[bool, typer.Option("--novelty", help="for models that flag unusual combinations")] = False,
    code: Annotated[bool, typer.Option("--code", help="for models as code, of `dibble unroll`")] = False,
    ratios: Annotated[bool, typer.Option("--ratios", help="for models of a heater scan's ratios")] = False,
    stand_ins: Annotated[bool, typer.Option("--stand-ins", help="for models trained with --tolerate-missing")] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="one file of some 4.4 KB for models of forest, additive or mlp without windows and all of the above; "
            "it believes a file whose CRC is right: no self-test, no names",
        ),
    ] = False,
) -> None:
    """Write the library that loads and runs one family's models, compiled, for a program of your own.

    `mpremote mip install OUT/package.json` copies it to a board. Without this command, from sources:
    `mpremote mip install firmware/forest.json`, or `additive.json`, `mlp.json`, `stream.json`, `maps.json`,
    `package.json` (all).
    """
    from dibble_tools.node.library import (
        FAMILIES,
        compiled_library,
        library_modules,
        plain_library,
        readers_of,
        write_library,
    )

    if family not in (*FAMILIES, "all"):
        raise InputError(f"expected a family, one of {', '.join(FAMILIES)} or all, got {family!r}")
    parts = {"novelty": novelty, "code": code, "ratios": ratios, "stand_ins": stand_ins}
    wanted = [f"--{name.replace('_', '-')}" for name, asked in parts.items() if asked]
    if plain and wanted:
        raise InputError(f"expected --plain, or {' '.join(wanted)}, got both: a plain model has none of these")
    if plain:
        files = plain_library(family, arch)
    else:
        files = compiled_library(library_modules(FAMILIES if family == "all" else (family,), **parts), arch)
    listing = write_library(files, out or Path(f"library_{family}"))
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    console.print(
        f"wrote {count}, {sum(map(len, files.values())):,} bytes, for {readers_of(arch)}",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"copy them with: mpremote mip install {listing}", markup=False, soft_wrap=True)
