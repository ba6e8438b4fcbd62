"""The forms a model is written in, as a program of its own."""

from dibble_tools.common.errors import InputError
from dibble_tools.export.c.source import write_c, write_sketch
from dibble_tools.export.microbit.source import strip
from dibble_tools.export.python.source import write_python
from dibble_tools.model.host_model import HostModel

FORMS = ("c", "arduino", "python")


def write(model: HostModel, form: str, name: str = "", *, small: bool = False) -> dict[str, str]:
    """Return the texts of a model's program by the names of their files.

    Args:
        form: of FORMS.
        name: what its names begin with; "" makes one of the model's name.
        small: Python without comments, for a board with little heap.
    Raises:
        InputError: there is no such form, or the model can't be written in it.
    """
    if form not in FORMS:
        raise InputError(f"--to: expected one of {', '.join(FORMS)}, or bmerawdata of scans; got {form!r}")
    if small and form != "python":
        raise InputError("--small: expected --to python: C has no comments left once it is compiled")
    content = model.content
    if form == "python":
        files = write_python(content, name)
        return {file: strip(text) if small else text for file, text in files.items()}
    return (write_c if form == "c" else write_sketch)(content, name)
