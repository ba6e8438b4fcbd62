# Commands that set up what they need: `make demo`, `make test`, `make bench`.
PYTHON ?= python3
BIN := .venv/bin
DEMO_STAMP := .venv/.installed-demo
STAMP := .venv/.installed
# One more than there are processors, as some tests wait for boards and brokers.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
BENCH_STAMP := .venv/.installed-bench
# Readings of gas sensors to train on and measure, too: make bench GAS=gas_ethylene.csv.gz
GAS ?=

.PHONY: demo test checks tests bench emulator clean

demo: $(DEMO_STAMP) emulator
	$(BIN)/dibble demo
	@command -v dibble >/dev/null || echo "the command dibble, in this terminal: . $(BIN)/activate   (else $(BIN)/dibble)"

test: $(STAMP) emulator
	@$(MAKE) --no-print-directory -j2 checks tests

checks: $(STAMP)
	@echo "== lint and types, beside the tests"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tests: $(STAMP)
	@echo "== tests, on every VM"
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Some two minutes: what a prediction takes on every VM, next to C and to other people's exporters.
bench: $(BENCH_STAMP) emulator
	$(BIN)/dibble bench --out build/bench.json --plot build/bench.png $(if $(GAS),--gas $(GAS))

$(BENCH_STAMP): $(STAMP) pyproject.toml
	@echo "== installing other people's exporters"
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@touch $(BENCH_STAMP)

$(STAMP): $(DEMO_STAMP)
	@echo "== installing what tests need"
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(STAMP)

$(DEMO_STAMP): pyproject.toml
	@echo "== creating .venv and installing dibble into it"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "expected Python >= 3.11, got $$($(PYTHON) --version); name another: make PYTHON=python3.12 …"; exit 2; }
	@$(PYTHON) -m venv .venv || { echo "expected the venv module; on Debian: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $(DEMO_STAMP)

# The emulated Cortex-M0 and an MQTT broker: from Debian's packages, as root or through sudo.
emulator:
	@sh tests/install_emulator.sh

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
