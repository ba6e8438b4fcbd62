"""Which files a node's firmware is merged into: by when they're needed, as what is done gives its heap back."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from dibble_tools.common.shipped import ROOMS
from dibble_tools.node.merging import Shipment

_INFERENCE, _KERNELS, _STORAGE, _REPORT = "dibble.inference.", "dibble.inference.kernels.", "dibble.storage.", "dibble.report."
_PORT = "dibble.ports.micropython"
DRIVERS = "dibble.drivers"
# What sensors.py and drivers/__init__.py ask a driver for.
OF_DRIVERS = ("CHANNELS", "SETTINGS", "COSTLY_FROM", "KEEP_ALIVE_MS", "COUNTS_ASLEEP", "MAX_STEP", "STUCK_CYCLES", "build")
GUESTS = ROOMS / "link" / "guest"


def _of(package: str, *names: str) -> tuple[str, ...]:
    return tuple(package + name for name in names)


FILES: Mapping[str, tuple[str, ...]] = {
    # from power-on on
    "dibble": (
        *("dibble", "dibble.app", "dibble.forgetting"),
        *_of(_STORAGE, "boot", "slots", "words"),
        *_of(_INFERENCE, "crc32", "fixed_point"),
        *_of(_REPORT, "serial_line"),
    ),
    "dibble.ports": ("dibble.ports", _PORT, "dibble.ports.shared", "dibble.ports.contact"),
    # the configuration
    "dibble.setup": ("dibble.setup", "dibble.config"),
    "dibble.signatures": _of(_STORAGE, "signatures", "sha256"),
    # the node
    "dibble.node": (
        *_of("dibble.", "node", "sensors", "health", "classifier", "actions", "on_times", "watchdog"),
        *_of(_STORAGE, "record", "record_log", "segment", "segment_files"),
    ),
    "dibble.clock": ("dibble.clock_chips", "dibble.clock_keeper"),
    "dibble.inference": (
        "dibble.inference",
        *_of(_INFERENCE, "model", "predictor", "decision", "format", "features"),
        *_of(_KERNELS, "choice", "generator", "plan", "thumb_probe", "viper_probe"),
    ),
    "dibble.forest": (
        *_of(_INFERENCE, "forest"),
        *_of(_KERNELS, "forest_bytecode", "forest_plan", "forest_thumb", "forest_viper"),
    ),
    "dibble.additive": _of(_INFERENCE, "additive", "novelty", "kernels.additive_bytecode", "kernels.additive_plan"),
    "dibble.mlp": _of(_INFERENCE, "mlp", "kernels.mlp_bytecode", "kernels.mlp_plan"),
    "dibble.coded": (*_of(_KERNELS, "coded_plan", "coded_thumb", "coded_viper"), *_of(_INFERENCE, "scale")),
    # a model's first look
    "dibble.checks": (
        *_of(_INFERENCE, "checks", "bounds", "forest_checks", "additive_checks", "mlp_checks"),
        *_of(_INFERENCE, "description", "strings", "errors", "golden"),
    ),
    "dibble.rare": _of(_INFERENCE, "explanation", "parts", "units", "unrolled"),
    "dibble.manifest": _of(_STORAGE, "manifest"),
    # reports
    "dibble.radio": (
        *_of(_REPORT, "radio", "mqtt", "state", "forward", "home_assistant", "name_lookup", "network_time"),
        *_of("dibble.ports.", "sockets", "stream", "tls"),
    ),
}
ALIASES = {"dibble.app": "dibble", _PORT: "dibble.ports", "dibble.inference.fixed_point": "dibble.inference"}


def shipment_of(sources: Mapping[str, str], drivers: Iterable[str], own: Iterable[str] = ()) -> Shipment:
    """Return the merged firmware of a node.

    Args:
        sources: module -> source, of dibble's and of one's own.
        drivers: dibble's, of its configuration.
        own: names of modules of one's own.
    """
    files = dict(FILES)
    files[DRIVERS] = tuple(name for name in sources if name == DRIVERS or name.startswith(DRIVERS + "."))
    spaces = {f"{DRIVERS}.{name}": OF_DRIVERS for name in drivers}
    asked = {(_PORT, name) for name in _attributes_in(sources.values()) & _defined_in(sources.get(_PORT, ""))}
    asked |= {("dibble.app", "run"), ("dibble", "__version__")}
    asked |= {(name, "") for name in own}
    for path in GUESTS.glob("*.py"):
        asked |= set(_asked_in(path))
    return Shipment(sources, files, sorted(asked), spaces, ALIASES, _names_beside())


def _names_beside() -> set[str]:
    """Return all names in the programs that the host runs on a board."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in GUESTS.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def _attributes_in(sources: Iterable[str]) -> set[str]:
    guests = [path.read_text(encoding="utf-8") for path in GUESTS.glob("*.py")]
    trees = [ast.parse(source) for source in (*sources, *guests)]
    named = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return named | {
        node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _defined_in(source: str) -> set[str]:
    return {
        name.id
        for node in ast.parse(source).body
        for name in (node.targets if isinstance(node, ast.Assign) else ())
        if isinstance(name, ast.Name)
    } | {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def _asked_in(path: Path) -> Iterable[tuple[str, str]]:
    """Yield what a program imports of dibble."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dibble":
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                for attribute in _attributes_of(tree, alias.asname or alias.name):
                    yield (module, attribute)
                yield (node.module or "", alias.name)


def _attributes_of(tree: ast.AST, bound: str) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == bound
    }
