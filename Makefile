# Single-word verbs; `make audit` is the first thing to try.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: audit test check fast docs bench specimen clean

audit: $(READY)  ## audit the built-in specimen and its clean twin, side by side
	$(BIN)/probatum audit specimen twin

test fast check: export OMP_NUM_THREADS = 1
test: $(READY)  ## all tests
	$(BIN)/python -m pytest -n 2

fast: $(READY)  ## the quick tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

check: $(READY)  ## linters, types, floors, stale documents
	$(BIN)/ruff check src tests benchmarks examples docs/comparison.py docs/nulls.py docs/unlearning.py docs/threats.py
	$(BIN)/ruff format --check src tests benchmarks examples docs/comparison.py docs/nulls.py docs/unlearning.py docs/threats.py
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not slow" tests/test_floors.py tests/test_docs.py

docs: $(READY)  ## write what is generated
	$(BIN)/probatum list --markdown > docs/methods.md
	$(BIN)/python docs/comparison.py > docs/comparison.md
	$(BIN)/python docs/nulls.py > docs/nulls.md
	$(BIN)/python docs/unlearning.py > docs/unlearning.md  # its figures: --measure, some minutes
	$(BIN)/python docs/threats.py > docs/threats.md

bench: $(READY)  ## speed against peers, as ratios
	$(BIN)/python benchmarks/one_pass.py
	$(BIN)/python benchmarks/generation.py
	$(BIN)/python benchmarks/attacks.py
	$(BIN)/python benchmarks/ghost_norms.py
	$(BIN)/python benchmarks/scale.py

specimen: $(READY)  ## train the built-in models anew and check their stated ranges
	$(BIN)/probatum specimen build/specimen --retrain
	$(BIN)/python tests/controls/check_ranges.py build/specimen --retrained
	$(BIN)/python tests/controls/check_people_ranges.py build/specimen --retrained

clean:
	rm -rf $(VENV) build dist probatum-report .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
