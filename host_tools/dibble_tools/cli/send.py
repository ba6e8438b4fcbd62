"""`dibble send`, `dibble downlinks`: a model or a configuration to a node by radio; arguments only."""

import re
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.given import refuse_without
from dibble_tools.cli.output import console, note
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.common.terminal import write

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="model.dib, the folder it lies in, or config.json")]
NodeName = Annotated[str, typer.Option("--node", help="its name: `node` of its config.json")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="the node's key; else node.key here, if it is there")]
Again = Annotated[
    bool, typer.Option("--again", help="though the node refused this very file before, or went back from it")
]


@extras_named("fleet")
def send(
    file: FileArgument,
    node: NodeName,
    broker: Annotated[str, typer.Option(help="HOST or HOST:PORT of the MQTT broker that the node reports to")],
    user: Annotated[str, typer.Option(help="for the broker; its password is in the environment: MQTT_PASSWORD")] = "",
    ca: Annotated[str, typer.Option(help="file of certificates, or 'system': MQTT over TLS")] = "",
    key: KeyFile = None,
    wait: Annotated[str, typer.Option(help="follow the node for so long: 90s, 3h, 48h")] = "3h",
    on_install: Annotated[
        bool, typer.Option("--on-install", help="the node waits until somebody presses Install in Home Assistant")
    ] = False,
    again: Again = False,
    firmware: Annotated[
        bool, typer.Option("--firmware", help="not FILE, but dibble's own program for a node under this config.json")
    ] = False,
) -> None:
    """Send a model, a configuration or the firmware to a node by MQTT, and follow it until it's confirmed.

    The broker keeps the pieces; the node takes them when it wakes, tries what came, and goes back to what it had if
    that doesn't come to a good minute and a report. Firmware goes to nodes with a key only. Ctrl-C ends the following
    only. Exit status 1: refused, rolled back, or nothing settled in time.
    """
    from dibble_tools.fleet.broker import Broker
    from dibble_tools.fleet.sending import mpy_of
    from dibble_tools.fleet.sending import send as send_parcel
    from dibble_tools.radio.files import read_parcel
    from dibble_tools.radio.parcel import offer_turn

    wait_s = parse_seconds(wait, "--wait")
    place = Broker.of(broker, user, ca)
    if firmware and file.suffix != ".json":
        raise InputError(f"--firmware: expected the node's config.json, which says what it needs, got {file}")
    mpy = mpy_of(place, node) if firmware else None
    parcel = read_parcel(file, node, key, waits=on_install, turn=offer_turn(again), mpy=mpy)
    console.print(parcel.summary, markup=False)
    said = send_parcel(
        place,
        node,
        parcel,
        wait_s=wait_s,
        told=lambda progress: console.print(str(progress), markup=False, soft_wrap=True),
    )
    if said is None:
        console.print(f"nothing settled within {wait}: the broker keeps it, and {node} goes on", markup=False)
    if said is None or not said.good:
        raise typer.Exit(1)


def downlinks(
    context: typer.Context,
    file: FileArgument,
    node: NodeName,
    network: Annotated[
        str, typer.Option("--for", help="whose queue: ttn (The Things Stack) or chirpstack (4)")
    ] = "ttn",
    sums: Annotated[int, typer.Option(min=0, max=999, help="more than are needed, for those that get lost")] = 4,
    first_sum: Annotated[int, typer.Option(min=0, help="how many sums were sent before: none is sent twice")] = 0,
    answer: Annotated[str, typer.Option(help="the node's last uplink on port 22, in hexadecimal digits")] = "",
    dev_eui: Annotated[str, typer.Option(help="of the device, for ChirpStack: 16 hexadecimal digits")] = "",
    key: KeyFile = None,
    again: Again = False,
) -> None:
    """Write a model or a configuration as LoRaWAN downlinks of at most 51 bytes, as JSON for the network's queue.

    Any order will do, and any loss: the node's uplink on port 22 says what is missing, and --answer leaves out what it
    has. For The Things Stack it's one message to v3/APP@TENANT/devices/DEVICE/down/push; for ChirpStack a line each, to
    application/ID/device/DEV_EUI/command/down.
    """
    from dibble_tools.radio.files import read_parcel
    from dibble_tools.radio.lorawan import PIECE_BYTES, Answer, chirpstack, things_stack
    from dibble_tools.radio.lorawan import downlinks as payloads_of
    from dibble_tools.radio.parcel import offer_turn

    if network not in ("ttn", "chirpstack"):
        raise InputError(f"--for: expected ttn or chirpstack, got {network!r}")
    refuse_without(context, "--for chirpstack", network == "chirpstack", "dev_eui")
    if network == "chirpstack" and not re.fullmatch("[0-9a-fA-F]{16}", dev_eui):
        raise InputError(f"--dev-eui: expected 16 hexadecimal digits, which ChirpStack asks for, got {dev_eui!r}")
    try:
        heard = Answer.of(bytes.fromhex(answer)) if answer else None
    except ValueError:
        raise InputError(f"--answer: expected hexadecimal digits, got {answer!r}") from None
    parcel = read_parcel(file, node, key, piece_bytes=PIECE_BYTES, turn=offer_turn(again))
    payloads = list(payloads_of(parcel, sums, heard, first_sum))
    if heard and heard.crc == parcel.told_crc and not payloads:
        note(f"{node} says: {heard.state}: nothing is left to send")
    note(f"{parcel.summary}; {len(payloads)} downlinks")
    texts = [things_stack(payloads)] if network == "ttn" else chirpstack(payloads, dev_eui)
    write("".join(f"{text}\n" for text in texts))
