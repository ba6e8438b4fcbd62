"""Which files a node's firmware is merged into: by when they're needed, as what is done gives its heap back."""

import ast
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from dibble_tools.common.shipped import ROOMS
from dibble_tools.node.merging import Shipment
from dibble_tools.node.modules import attributes_of, nodes_of, tree_of

_INFERENCE, _KERNELS, _STORAGE, _REPORT, _SENSES, _UPDATE = (
    "dibble.inference.",
    "dibble.inference.kernels.",
    "dibble.storage.",
    "dibble.report.",
    "dibble.senses.",
    "dibble.update.",
)
_PORT = "dibble.ports.micropython"
DRIVERS = "dibble.drivers"
# What sensors.py and drivers/__init__.py ask a driver for.
OF_DRIVERS = (
    "CHANNELS",
    "SETTINGS",
    "COSTLY_FROM",
    "KEEP_ALIVE_MS",
    "COUNTS_ASLEEP",
    "MAX_STEP",
    "STUCK_CYCLES",
    "build",
    "channels",
)
STREAMS = "dibble.streams."
OF_STREAMS = ("SETTINGS", "BLOCKS", "build")  # what is asked of a stream's driver
GUESTS = ROOMS / "link" / "guest"


def _of(package: str, *names: str) -> tuple[str, ...]:
    return tuple(package + name for name in names)


FILES: Mapping[str, tuple[str, ...]] = {
    # from power-on on
    "dibble": (
        *("dibble", "dibble.app", "dibble.forgetting", "dibble.texts"),
        *_of(_STORAGE, "boot", "key", "slots", "words"),
        *_of(_INFERENCE, "crc32", "fixed_point"),
        *_of(_REPORT, "serial_line"),
    ),
    "dibble.ports": ("dibble.ports", _PORT, "dibble.ports.shared", "dibble.ports.contact"),
    # the configuration
    "dibble.config": ("dibble.config", "dibble.setup"),
    "dibble.signatures": _of(_STORAGE, "signatures", "sha256"),
    # the node
    "dibble.node": (
        *_of("dibble.", "node", "node_parts", "sensors", "health", "classifier", "watchdog"),
        *_of(_STORAGE, "record", "record_log", "segment", "segment_files"),
    ),
    "dibble.outputs": _of("dibble.", "outputs", "actions", "on_times"),
    "dibble.clock_chips": ("dibble.clock_chips", "dibble.clock_keeper"),
    "dibble.inference": (
        "dibble.inference",
        *_of(_INFERENCE, "model", "predictor", "machine_code", "ranges", "decision", "format"),
        *_of(_KERNELS, "choice", "generator", "plan", "thumb_probe", "viper_probe"),
        *_of(_KERNELS, "rows_plan", "rows_thumb", "rows_viper"),
    ),
    "dibble.windows": (
        *_of(_INFERENCE, "windows", "features"),
        *_of(_KERNELS, "features_bytecode", "features_plan", "features_thumb", "features_viper"),
    ),
    "dibble.forest": (
        *_of(_INFERENCE, "forest"),
        *_of(_KERNELS, "forest_bytecode", "forest_plan", "forest_thumb", "forest_viper"),
    ),
    "dibble.additive": _of(_INFERENCE, "additive", "novelty", "kernels.additive_bytecode", "kernels.additive_plan"),
    "dibble.mlp": _of(_INFERENCE, "mlp", "kernels.mlp_bytecode", "kernels.mlp_plan"),
    "dibble.pages": (*_of(_INFERENCE, "pages"), *_of(_KERNELS, "crc_viper")),
    "dibble.image": _of(_INFERENCE, "image"),  # to it the module of its tables is an object
    "dibble.maps": (
        *_of(_INFERENCE, "maps", "maps_checks"),
        *_of(_KERNELS, "maps_words", "maps_take", "maps_bytecode", "maps_viper", "maps_conv_thumb"),
        *_of(_KERNELS, "maps_depthwise_thumb", "maps_frame_thumb", "maps_pool_thumb"),
    ),
    "dibble.stream": (
        *_of(_INFERENCE, "stream"),
        *_of(_KERNELS, "stream_bytecode", "stream_plan", "stream_thumb", "stream_viper"),
    ),
    "dibble.coded": (*_of(_KERNELS, "coded_plan", "coded_thumb", "coded_viper"), *_of(_INFERENCE, "scale")),
    # a model's first look
    "dibble.checks": (
        *_of(_INFERENCE, "checks", "bounds", "forest_checks", "additive_checks", "mlp_checks"),
        *_of(_INFERENCE, "stream_checks"),
    ),
    "dibble.first_look": _of(_INFERENCE, "description", "strings", "errors", "golden"),
    "dibble.rare": _of(_INFERENCE, "explanation", "units", "unrolled"),
    "dibble.ratios": _of(_INFERENCE, "ratios", "baselines"),
    "dibble.number": _of(_INFERENCE, "number"),
    "dibble.stand_ins": _of(_INFERENCE, "stand_ins"),
    "dibble.parts": _of(_INFERENCE, "parts"),
    "dibble.motion": _of(_SENSES, "motion", "motion_bytecode", "motion_viper"),
    "dibble.heat": (*_of(_SENSES, "heat", "picture"), *_of(_REPORT, "frame_lines")),
    "dibble.manifest": _of(_STORAGE, "manifest"),
    # reports
    "dibble.radio": (
        *_of(_REPORT, "radio", "mqtt", "state", "forward", "home_assistant", "name_lookup", "network_time"),
        *_of(_REPORT, "about"),
        *_of("dibble.ports.", "sockets", "stream"),
    ),
    "dibble.lorawan": _of(_REPORT, "lorawan_radio", "lorawan"),
    "dibble.cayenne": _of(_REPORT, "cayenne"),
    "dibble.diagnostics": _of(_REPORT, "diagnostics"),
    # a stream
    "dibble.listening": (
        *_of("dibble.", "listening_node", "listening", "ports.micropython_microphones"),
        *_of(_SENSES, "counts", "listener", "gate", "take", "segment"),
        *_of(_SENSES, "frames", "frames_bytecode", "frames_plan", "frames_thumb", "frames_viper"),
        *_of(_SENSES, "span", "span_thumb", "span_viper", "widen", "widen_viper"),
    ),
    "dibble.streams": ("dibble.streams", *_of("dibble.streams.", "adc_mic", "i2s_mic", "pdm_mic")),
    # what comes by radio
    "dibble.update": _of(_UPDATE, "offer"),
    "dibble.kept": _of(_UPDATE, "kept", "offered"),
    "dibble.looking": _of(_UPDATE, "looking"),
    "dibble.telling": _of(_UPDATE, "telling"),
    "dibble.parcel": _of(_UPDATE, "parcel"),
    "dibble.opening": _of(_UPDATE, "opening", "room"),
    "dibble.receiving": _of(_UPDATE, "receiving"),
    "dibble.downlinks": _of(_UPDATE, "lorawan", "sums"),
    "dibble.place": _of(_UPDATE, "place", "reading"),
    "dibble.trial": _of(_UPDATE, "trial"),
    "dibble.on_trial": _of(_UPDATE, "on_trial"),
    "dibble.staging": _of(_UPDATE, "firmware"),
    "dibble.unpack": _of(_STORAGE, "bits", "unpack"),
    "dibble.tls": _of("dibble.ports.", "tls"),  # there may be no module ssl
}
# What stays in the heap while a node runs, beside its drivers and its model's kernels, and what is there beside a radio
# that is on: its texts lie in a file.
TELL = (
    *("dibble.node", "dibble.outputs", "dibble.ports", "dibble.clock_chips", "dibble.radio"),
    *("dibble.motion", "dibble.heat", "dibble.listening", "dibble.streams"),
    *("dibble.kept", "dibble.looking", "dibble.opening", "dibble.receiving"),
)
# In bytecode: what a model's code needs even where its tables run in machine code.
OF_CODE = (*_of(_INFERENCE, "predictor"), *_of(_KERNELS, "features_bytecode"))
# Modules that others import by these names -> the file which sees to that: their package's.
ALIASES = {
    "dibble.app": "dibble",
    _PORT: "dibble.ports",
    "dibble.ports.shared": "dibble.ports",
    "dibble.inference.fixed_point": "dibble.inference",
}


def shipment_of(
    sources: Mapping[str, str],
    drivers: Iterable[str],
    own: Iterable[Path] = (),
    *,
    asked: Iterable[tuple[str, str]] = (),
    apart: bool = False,
    bytecode: bool = True,
) -> Shipment:
    """Return the merged firmware of a node.

    Args:
        sources: module -> source, of dibble's.
        drivers: those of its configuration.
        own: files of one's own drivers, which ask dibble's modules for names.
        asked: (module, name) that other programs ask for.
        apart: each driver is a file of its own.
        bytecode: what runs the model's tables; else only its code, if it has any, asks for what is in bytecode.
    """
    named = [f"{DRIVERS}.{name}" for name in drivers]
    parts = [name for name in sources if name == DRIVERS or name.startswith(f"{DRIVERS}.")]
    objects = _used_as_objects(sources)
    later = [
        name for name in parts if name not in (DRIVERS, *named) and (name in objects or not _at_once(name, sources))
    ]
    files = {**FILES, DRIVERS: tuple(name for name in parts if name not in later and not (apart and name in named))}
    if not bytecode:
        files["dibble.rare"] = (*FILES["dibble.rare"], *OF_CODE)
        for name in ("dibble.inference", "dibble.windows"):
            files[name] = tuple(part for part in FILES[name] if part not in OF_CODE)
    files |= {f"dibble.{name.rpartition('.')[2]}": (name,) for name in later}
    asked = (
        {*asked} | {(_PORT, name) for name in _port_names(sources)} | {("dibble.app", "run"), ("dibble", "__version__")}
    )
    asked |= {(name, each) for name in named if apart for each in OF_DRIVERS}
    # What a board's slots hold, and where a model is used in place, for who looks by hand.
    asked |= {("dibble.classifier", name) for name in ("recall", "ROM")}
    own = list(own)
    for path in (*GUESTS.glob("*.py"), *own):
        asked |= set(_asked_in(path, sources))
    aliases = dict(ALIASES)
    for path in own:
        others = {module for module, _ in _asked_in(path, sources) if module in sources and module not in files}
        aliases |= {module: _seen_by(module, files) for module in others}
    return Shipment(
        sources,
        files,
        sorted(asked),
        {
            **({} if apart else dict.fromkeys(named, OF_DRIVERS)),
            **{name: OF_STREAMS for name in sources if name.startswith(STREAMS)},
        },
        {name: by for name, by in aliases.items() if name not in files},
        _names_in(own),
    )


def _used_as_objects(sources: Mapping[str, str]) -> set[str]:
    """Return the modules that others hand about."""
    found = set()
    for source in sources.values():
        tree = tree_of(source)
        for node in nodes_of(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    module = f"{node.module}.{alias.name}"
                    if module in sources and attributes_of(tree, alias.asname or alias.name) is None:
                        found.add(module)
    return found


def _at_once(module: str, sources: Mapping[str, str]) -> bool:
    """Tell whether something imports a module when it is imported itself."""
    package, _, last = module.rpartition(".")
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module == module or (node.module == package and last in [alias.name for alias in node.names]))
        for source in sources.values()
        for node in tree_of(source).body
    )


def _seen_by(module: str, files: Mapping[str, object]) -> str:
    """Return the file of a module's package, or the package above that."""
    package = module.rpartition(".")[0]
    while package not in files:
        package = package.rpartition(".")[0]
    return package


def _port_names(sources: Mapping[str, str]) -> set[str]:
    """Return what the others ask their port for: it's an object to them."""
    others = [text for name, text in sources.items() if not name.startswith("dibble.ports.")]
    trees = [tree_of(text) for text in (*others, *(path.read_text(encoding="utf-8") for path in GUESTS.glob("*.py")))]
    nodes = [node for tree in trees for node in nodes_of(tree)]
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return named & {name for node in tree_of(sources.get(_PORT, "")).body for name in _bound(node)}


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return {name.id for name in getattr(node, "targets", ()) if isinstance(name, ast.Name)}


def _names_in(own: Iterable[Path]) -> set[str]:
    """Return all names in programs beside these: one's own drivers, and what the host runs on a board."""
    trees = [tree_of(path.read_text(encoding="utf-8")) for path in (*GUESTS.glob("*.py"), *own)]
    nodes = [node for tree in trees for node in nodes_of(tree)]
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def _asked_in(path: Path, modules: Container[str]) -> Iterable[tuple[str, str]]:
    """Yield what a program imports of dibble; of a module, what it asks that for."""
    tree = tree_of(path.read_text(encoding="utf-8"))
    for node in nodes_of(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dibble":
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                attributes = attributes_of(tree, alias.asname or alias.name)
                for attribute in attributes or ():
                    yield (module, attribute)
                if attributes is None or module not in modules:
                    yield (node.module or "", alias.name)
