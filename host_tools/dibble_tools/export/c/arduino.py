"""Write a model as an Arduino sketch: a folder that the Arduino IDE opens, and runs as it is."""

from dibble_tools.export import names
from dibble_tools.export.c.source import write_c
from dibble_tools.export.context import context_of, environment
from dibble_tools.model.content import Content


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
