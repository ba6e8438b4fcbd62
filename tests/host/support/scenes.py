"""Scenes as a thermal array or a small camera sees them, drawn: each recording has its own background and place."""

import numpy as np

KINDS = ("nobody", "person")


def thermal_scenes(seed: int, recordings: int = 12, frames: int = 30) -> tuple[np.ndarray, list[str], list[str]]:
    """Return (frames (rows, 24, 32) in 1/100 degree above the background, labels, groups).

    In some recordings there are warm stones or a dog, which are no person: low and wide, or small.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:24, :32]
    found, labels, groups = [], [], []
    for k in range(recordings):
        slope = rng.normal(0, 3, 2)
        stones = [(rng.uniform(14, 23), rng.uniform(0, 31), rng.uniform(100, 400)) for _ in range(rng.integers(0, 3))]
        scale = rng.uniform(0.8, 1.3)
        for i in range(frames):
            kind = KINDS[(i * 7 + k) % 2]
            field = slope[0] * (rows - 12) + slope[1] * (columns - 16) + rng.normal(0, 25, (24, 32))
            for r, c, warm in stones:
                field += warm * np.exp(-(((rows - r) / 1.5) ** 2) - ((columns - c) / 2.5) ** 2)
            if kind == "person":
                r, c, warm = rng.uniform(8, 16), rng.uniform(4, 27), rng.uniform(250, 700)
                field += warm * (np.abs(rows - r) < 5 * scale) * np.exp(-(((columns - c) / (1.8 * scale)) ** 2))
                field += 1.2 * warm * np.exp(-(((rows - r + 6 * scale) / 1.3) ** 2) - ((columns - c) / 1.2) ** 2)
            elif rng.random() < 0.4:
                r, c, warm = rng.uniform(15, 22), rng.uniform(4, 27), rng.uniform(250, 700)
                field += warm * (np.abs(rows - r) < 1.6 * scale) * (np.abs(columns - c) < 3 * scale)
            found.append(field)
            labels.append(kind)
            groups.append(f"recording {k}")
    return np.round(found).astype(np.int64), labels, groups
