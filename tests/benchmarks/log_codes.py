"""Would a finer logarithm help codes? python tests/benchmarks/log_codes.py FILE.csv:GROUP ...

8-bit codes of all columns in ohm, by the log scalers' straight lines between powers of two (0.086 octave off at most)
and by the ratios' bent ones (0.0091), the same range of training rows; a line and a network on either, on each of some
groups that they haven't seen. Trees and tables ask where a code ends and don't care for a bend.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from dibble_tools.data.feature_spec import log2_1024ths
from dibble_tools.families.scaling import CODE_MAX, TAIL, log2_steps
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

GROUPS, ROWS = 6, 2000  # held out one by one, and rows that are learned from
KINDS = {"straight": log2_steps, "bent": log2_1024ths}
MODELS = {
    "line": lambda: LogisticRegression(max_iter=1000),
    "network": lambda: MLPClassifier((16,), max_iter=60, random_state=0),
}


def codes(logs: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Return codes 0..255 over what is usual in the rows learned from."""
    low, high = np.quantile(logs[fit], [TAIL, 1 - TAIL], axis=0)
    return np.clip(np.floor((logs - low) * (CODE_MAX + 1) / np.maximum(high - low, 1)), 0, CODE_MAX)


def main() -> None:
    warnings.simplefilter("ignore")  # of a network that isn't quite there after so many rounds
    rng = np.random.default_rng(0)
    for text in sys.argv[1:]:
        path, _, group = text.rpartition(":")
        table = pd.read_csv(path)
        ohm = table[[name for name in table if name.endswith("_ohm")]].to_numpy(np.int64)
        y, groups = table["label"].to_numpy(), table[group].astype(str).to_numpy()
        found: dict[tuple[str, str], list[float]] = {}
        for held in rng.permutation(np.unique(groups))[:GROUPS]:
            fit, test = rng.permutation(np.flatnonzero(groups != held))[:ROWS], np.flatnonzero(groups == held)
            for kind, log2 in KINDS.items():
                x = codes(log2(ohm), fit)
                for name, model in MODELS.items():
                    made = make_pipeline(StandardScaler(), model()).fit(x[fit], y[fit])
                    found.setdefault((name, kind), []).append(made.score(x[test], y[test]))
        words = ", ".join(f"{name} {kind} {np.mean(shares):.1%}" for (name, kind), shares in found.items())
        print(f"{path.rpartition('/')[2]} by {group}: {words}", flush=True)


if __name__ == "__main__":
    main()
