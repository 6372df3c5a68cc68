# Two commands for a newcomer: `make playground` and `make test`. Everything else serves them.
PYTHON ?= python3.11
# Tests wait more than they compute. Each worker may load the encoder: up to 4 GB.
WORKERS ?= 2
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: playground test test-lives check lint install prepare bench bench-examples bench-gpu bench-index bench-retrieval clean

playground: prepare
	@$(BIN)/xueban playground

test: prepare
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile

# The runner's state machine, for longer than `test` has time.
test-lives: prepare
	XUEBAN_LIVES=200 $(BIN)/pytest --timeout=7200 tests/runners/jobs/test_state_machine.py

check: lint test

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports

bench: prepare
	$(BIN)/python -m benchmarks

bench-examples: prepare
	$(BIN)/python -m benchmarks.examples

bench-gpu: prepare
	$(BIN)/python -m benchmarks.gpu

bench-index: prepare
	$(BIN)/python -m benchmarks.index_growth

bench-retrieval: prepare
	$(BIN)/python -m benchmarks.retrieval

install: $(STAMP)

prepare: $(STAMP)
	@$(BIN)/xueban prepare

# torch comes first and by its exact name: a package that merely needs "torch" would bring another.
# The stamp is written last, so a failed install is simply taken up again by the next `make`.
$(STAMP): pyproject.toml requirements-carried.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Xueban needs Python 3.11 and found no '$(PYTHON)'; name yours: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv (once; about 4 GB, a few minutes)…"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@{ $(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0 \
	  && $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]' \
	  && $(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-carried.txt; } \
	  || { echo "The install failed; the lines above say why. Run the same command again to go on."; exit 1; }
	@touch $@

clean:
	rm -rf .venv .data
