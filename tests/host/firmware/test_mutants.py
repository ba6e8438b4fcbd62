"""Model files that lie: a seeded sample of tests/benchmarks/mutants.py, on the VM with viper and on a Cortex-M0."""

from array import array
from pathlib import Path

import pytest
from dibble_tools.bench import cortex_m0
from dibble_tools.model.host_model import HostModel
from mutants import REFUSED, compare, mutants, on_host, on_unix, on_wasi, originals, rows_of, with_library

SAMPLE = 150  # of each kind
ON_WASI = 45
ON_CORTEX = 60  # of those that pass, of each kind of kernel
ORIGINALS = originals()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return with_library(tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("kind", ORIGINALS)
def test_a_mutant_is_refused_or_decides_as_on_the_host(kind: str, folder: Path) -> None:
    blob = ORIGINALS[kind]
    assert on_host(blob).isdigit()
    verdict = compare(on_unix, list(mutants(kind, blob, SAMPLE, seed=1)), folder)
    assert not verdict.wrong
    assert verdict.refused > 0
    assert kind.startswith("packed") or verdict.refused < SAMPLE * 0.9


@pytest.mark.parametrize(
    "kind", ["forest with windows", "widest additive", "widest forest", "network", "novelty", "stream"]
)
def test_on_a_vm_of_31_bit_ints(kind: str, folder: Path) -> None:
    verdict = compare(on_wasi, list(mutants(kind, ORIGINALS[kind], ON_WASI, seed=3)), folder)
    assert not verdict.wrong and 0 < verdict.refused < ON_WASI


@pytest.mark.parametrize("name", ["forest", "forest of pages", "additive", "network", "network of bytes"])
def test_what_passes_decides_alike_in_assembler(name: str) -> None:
    from test_thumb import Cases

    passed = [HostModel(blob) for blob in mutants(name, ORIGINALS[name], 400, seed=2) if on_host(blob) != REFUSED]
    family = HostModel(ORIGINALS[name]).content.family_name
    found = Cases(cortex_m0.KERNELS[family])
    taken = 0
    for model in passed:
        if model.content.family_name != family or model.content.windowed or model.content.novelty:
            continue
        score, _ = found.maker(family)(*cortex_m0.parts_of(model))
        for row in rows_of(model).tolist():
            score(array("i", row))
        taken += 1
        if taken == ON_CORTEX:
            break
    assert taken >= ON_CORTEX // 2
    found.check()
