"""The span of a hop on a Cortex-M0: both kinds of machine code, exact, at less than a frame's cost."""

import numpy as np
from dibble_tools.bench.cortex_m0 import code_of, listed, run
from dibble_tools.common.shipped import LIBRARY

SPANS = {kind: LIBRARY / "senses" / f"span_{kind}.py" for kind in ("thumb", "viper")}
SIZE = 512
MOST = {"thumb": 5_200, "viper": 25_000}  # instructions; a frame takes 40,900 and 200,000


def test_both_kinds_have_the_span_and_keep_their_cost() -> None:
    rng = np.random.default_rng(1)
    hops = [rng.integers(-32768, 32768, SIZE), np.full(SIZE, -32768), rng.integers(-9, 5, SIZE), np.arange(SIZE)]
    for hop in hops:
        words = np.array(hop, np.int16).view(np.uint32)
        tables = f"static uint8_t blob[4];\nstatic uint32_t plan[] = {{{listed(words)}}};\n" + code_of(SPANS)
        begin = f"plan[0] = {words[0]}u;"  # which is a file's place elsewhere
        calls = [f"{begin} count({kind}, (const int32_t *){SIZE});" for kind in SPANS]
        numbers = np.array(run(tables + "static Word classify(const int32_t *row) { return 0; }\n", calls))
        for kind, (found, count) in zip(SPANS, numbers.reshape(2, 2).tolist(), strict=True):
            assert found == hop.max() - hop.min(), kind
            assert count <= MOST[kind], (kind, count)
