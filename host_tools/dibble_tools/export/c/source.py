"""Write a model as C99, one header and one source file; or as an Arduino sketch, a folder that runs as it is."""

from dibble_tools.common.errors import InputError
from dibble_tools.export import names
from dibble_tools.export.c.maps import maps_context
from dibble_tools.export.c.stream import stream_context
from dibble_tools.export.context import context_of, environment
from dibble_tools.model.content import Content, Maps, Stream

LONGEST_INTERVAL_MS = 1 << 30


def write_c(content: Content, prefix: str = "") -> dict[str, str]:
    """Return the texts of PREFIX.h and PREFIX.c by their names.

    Args:
        prefix: what all names begin with; "" makes one of the model's name.
    Raises:
        InputError: the model can't be written so.
    """
    if content.interval_ms > LONGEST_INTERVAL_MS:
        raise InputError(f"expected a sampling interval of at most {LONGEST_INTERVAL_MS} ms, got {content.interval_ms}")
    if isinstance(content.family, Stream | Maps):
        prefix = names.prefix_of(prefix or content.name)
        kind, context = ("stream", stream_context) if isinstance(content.family, Stream) else ("maps", maps_context)
        found, template = context(content, prefix), environment("c").get_template
        return {f"{prefix}.{end}": _tidy(template(f"{kind}_model.{end}.j2").render(found)) for end in ("h", "c")}
    content = content.compacted()
    prefix = names.prefix_of(prefix or content.name)
    parts = context_of(content, prefix)
    render = environment("c").get_template
    return {
        f"{prefix}.h": _tidy(render("c_model.h.j2").render(parts)),
        f"{prefix}.c": _tidy(render("c_model.c.j2").render(parts)),
    }


def _tidy(text: str) -> str:
    """Return the text without spaces at the ends of lines and without more than one empty line in a row."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept) + "\n"


def write_sketch(content: Content, prefix: str = "") -> dict[str, str]:
    """Return the texts of PREFIX/PREFIX.ino, PREFIX/PREFIX.h and PREFIX/PREFIX.c by their names.

    Args:
        prefix: what all names begin with; "" makes one of the model's name.
    Raises:
        InputError: the model can't be written so.
    """
    content = content.compacted()
    prefix = names.prefix_of(prefix or content.name)
    longest = max(len(name.encode()) for name in content.classes) + 1
    found = context_of(content, prefix) | {"name_bytes": longest}
    sketch = environment("c").get_template("arduino.ino.j2").render(found)
    files = {f"{prefix}.ino": sketch, **write_c(content, prefix)}
    return {f"{prefix}/{name}": text for name, text in files.items()}
