"""One session of measurements, before it is cut into scans: rows, labels, and which sensor ran which profile."""

from dataclasses import dataclass, field

import numpy as np

from dibble_tools.data.heater_scans.profiles import Profile

ROW = np.dtype(
    [
        ("sensor", np.int64),
        ("time_ms", np.float64),
        ("clock_s", np.float64),
        ("celsius", np.float64),
        ("hectopascal", np.float64),
        ("percent", np.float64),
        ("ohm", np.float64),
        ("step", np.int64),
        ("error", np.int64),
        ("tag", np.int64),
        ("cycle", np.int64),
    ]
)
NO_CYCLE = -1


@dataclass
class Recording:
    """One session.

    Attributes:
        name: as people find it again: file, or the session of a project.
        sources: paths it came from.
        rows: ROW, in the order of the file: sensors are interleaved.
        labels: name of each tag; "": it stands for no label.
        profiles: of each sensor.
        cycles: of each sensor (scans in a row, scans of sleep); (1, 0): it never sleeps.
        sensors: name of each sensor.
        day: of the recording, as 2026-05-20; "": not known.
        folder: that its file lies in.
    """

    name: str
    sources: list[str]
    rows: np.ndarray
    labels: dict[int, str] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)
    cycles: dict[int, tuple[int, int]] = field(default_factory=dict)
    sensors: dict[int, str] = field(default_factory=dict)
    day: str = ""
    folder: str = ""
