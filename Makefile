# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint format bench clean

$(VENV)/.base:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e '.[demo,train,evaluate,dev]'
	touch $@ $(VENV)/.demo

# Fuse stacks that the project makes itself, and put the pictures into demo-out/.
demo: $(VENV)/.demo
	$(BIN)/python -m panfocus.demo demo-out

test: $(VENV)/.dev
	$(BIN)/pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Every figure of docs/results/, from sharp pictures of one size in DATA. PEERS: the bin folder of an
# environment with the peers (pip install focusweave openfocus); RESULTS: NAME=DIR of others' pictures.
DATA ?= ../shared/data
PEERS ?=
SYSTEMS ?= guided,guided-tenengrad,pyramid
RESULTS ?=
bench: $(VENV)/.dev
	mkdir -p runs docs/results
	$(BIN)/python benchmarks/make_sets.py $(DATA)/eval/kodak12 runs/sets
	$(BIN)/python benchmarks/make_large.py $(DATA)/eval/kodak12 runs/large
	$(BIN)/python benchmarks/quality.py runs/sets --systems $(SYSTEMS) \
	  $(foreach r,$(RESULTS),--results $(r)) > docs/results/quality.md
	$(BIN)/python benchmarks/working_scale.py runs/large > docs/results/working_scale.md
	$(BIN)/python benchmarks/speed.py $(DATA)/eval/stacks/pcb_strip7 runs/large/pair24 \
	  runs/large/stack12 runs/large/stack2 $(if $(PEERS),--peers $(PEERS)) > docs/results/speed.md

clean:
	rm -rf $(VENV) demo-out .pytest_cache .ruff_cache
