"""dibble's host side: from a CSV of readings to a model file that is proven on real MicroPython VMs.

The whole of it that programs may rely on:

    from dibble_tools import convert, load, train

    trained = train("field.csv", label="state", time="time")     # what `dibble train` does
    trained.save("models/field")                                 # model.dib, card.json, report.html
    model = convert(fitted_forest, X, channels=["soil=permille:1"])  # a classifier of scikit-learn's
    model.save("model.dib")
    DibbleClassifier("boosted:12x3").fit(X, y).export_           # the same as an estimator of scikit-learn's
    load("models/field").predict([[312, 18.5]])                  # rows of values, in the channels' units -> class names

`help(train)` has each argument's shape and unit. What has to be changed in data or options is told by an InputError.
Training and converting need `pip install 'dibble[train]'`; whatever is imported comes when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dibble_tools.common.extras import extras_named

if TYPE_CHECKING:
    from dibble_tools.common.errors import InputError
    from dibble_tools.model.convert import convert
    from dibble_tools.model.host_model import HostModel, load
    from dibble_tools.training.api import train
    from dibble_tools.training.estimator import DibbleClassifier
    from dibble_tools.training.result import Trained

__all__ = ["DibbleClassifier", "HostModel", "InputError", "Trained", "convert", "load", "train"]

_HOMES = {
    "DibbleClassifier": "training.estimator",
    "HostModel": "model.host_model",
    "InputError": "common.errors",
    "Trained": "training.result",
    "convert": "model.convert",
    "load": "model.host_model",
    "train": "training.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for; raise MissingPackage, an ImportError, where that needs an extra."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extras_named():
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
