"""What exported C keeps of the past is, word for word, what the firmware keeps: models/FORMAT.md has the order."""

from pathlib import Path

import numpy as np
import pytest
from dibble.inference.features import MAX, MEAN
from dibble.inference.fixed_point import MISSING
from dibble.inference.ratios import before
from dibble_tools.data.feature_spec import FeatureSpec, windows_of
from dibble_tools.export.forms import write
from dibble_tools.machines import tools
from dibble_tools.model.evaluator import gaps
from random_models import Case, random_case
from ratio_models import FEATURES as RATIOS
from ratio_models import ratio_model
from ratio_models import rows as scans

MAIN = """#include <stdio.h>
#include "m.h"
static m_node node;
int main(void)
{
    int32_t readings[M_CHANNELS + 1];
    m_restart(&node);
    while (fread(readings, sizeof readings, 1, stdin)) {
        PREDICT;
        fwrite(node.state, sizeof node.state, 1, stdout);
    }
    return 0;
}
"""


def expected(case: Case) -> np.ndarray:
    """Return the words of the past after each row, of windows in bytecode over the features that C keeps."""
    content = case.model.content.compacted()
    lows = [channel.low for channel in content.channels]
    windows = windows_of(content.features, content.spans, content.interval_ms)
    push = windows.push
    if content.ratios:
        push = before([(r.own, bytes(r.others), r.low, r.span) for r in content.ratios], lows, push)
    stand_ins = content.stand_ins or [None] * len(lows)
    found = []
    for row, gap in zip(case.readings.tolist(), gaps(content, case.elapsed_ms, len(case.readings)), strict=True):
        if gap:
            windows.restart()
        clamped = [min(max(x - c.low, 0), c.high - c.low) for x, c in zip(row, content.channels, strict=True)]
        push([~(s or 0) if x == MISSING else a for x, a, s in zip(row, clamped, stand_ins, strict=True)])
        found.append(list(windows.state))
    return np.array(found)


def cases() -> list[Case]:
    """Return random models that look back, and one of ratios."""
    found = [random_case(seed, 200) for seed in (0, 5, 10, 23)]
    model = ratio_model("additive", features=[*RATIOS, FeatureSpec(2, MEAN, 3), FeatureSpec(3, MAX, 4)])
    readings = scans(200)
    readings[np.random.default_rng(3).random(readings.shape) < 0.05] = MISSING
    found.append(Case("ratios", None, model, readings, None, model.decide(readings)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_each_word_of_the_past_is_the_firmwares(case: Case, tmp_path: Path) -> None:
    for name, text in write(case.model, "c", "m").items():
        (tmp_path / Path(name).name).write_text(text)
    told = case.elapsed_ms if case.elapsed_ms is not None and case.model.content.timed else None
    call = "m_predict(&node, readings)" if told is None else "m_predict_after(&node, readings, readings[M_CHANNELS])"
    (tmp_path / "main.c").write_text(MAIN.replace("PREDICT", call))
    tools.run(["gcc", "-std=c99", "-fsanitize=undefined", "m.c", "main.c", "-o", "m"], tmp_path)
    rows = np.column_stack([case.readings, np.zeros(len(case.readings)) if told is None else told])
    (tmp_path / "rows").write_bytes(rows.astype("<i4").tobytes())
    tools.run(["sh", "-c", "./m < rows > words"], tmp_path)
    words = np.fromfile(tmp_path / "words", "<u4").reshape(len(rows), -1)
    assert words.tolist() == expected(case).tolist()
