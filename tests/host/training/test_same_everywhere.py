"""A recipe gives the same bytes whatever computes it: other kernels of BLAS and numpy, another libm, more threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import train_bytes
from numpy._core._multiarray_umath import __cpu_dispatch__ as vector_sets

pytestmark = pytest.mark.long

OTHERS = {
    "an old processor's BLAS": {"OPENBLAS_CORETYPE": "Prescott"},
    "numpy without vector code": {"NPY_DISABLE_CPU_FEATURES": " ".join(vector_sets)},
    "a libm without fused multiply-add": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"},
    "many threads": {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def trained(file: Path, settings: dict[str, str], jobs: int) -> str:
    """Return what the program prints under settings."""
    environment = {name: value for name, value in os.environ.items() if name not in THREADS} | settings
    program = [sys.executable, train_bytes.__file__, str(file), str(jobs)]
    return subprocess.run(program, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Return a file of 240 rows of three classes that overlap; a logarithmic channel, one that says nothing."""
    rng = np.random.default_rng(4)
    state = rng.integers(0, 3, 240)
    columns = [
        np.exp(rng.normal(5 + 0.8 * state, 0.9)).round() + 1,
        (rng.normal(20 + 3 * (state == 1), 2.5)).round(1),
        rng.integers(0, 1000, 240),
        (rng.normal(500, 80) + 100 * state * rng.random(240)).round(),
    ]
    rows = zip(*columns, state, strict=True)
    lines = ["a,b,c,d,state,node"]
    lines += [",".join(map(str, [*row, f"c{k}", f"n{i % 4}"])) for i, (*row, k) in enumerate(rows)]
    path = tmp_path_factory.mktemp("same") / "same.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def here(file) -> str:
    return trained(file, {}, 1)


def test_each_recipe_is_trained(here) -> None:
    assert [line.split()[0] for line in here.splitlines()] == [train_bytes.FIRST, *train_bytes.OTHERS]


@pytest.mark.parametrize("name", OTHERS)
def test_another_computer_gives_the_same_bytes(here, file, name) -> None:
    jobs = 2 if name == "many threads" else 1
    assert trained(file, OTHERS[name], jobs) == here
