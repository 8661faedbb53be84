# make demo | test | test-3.13 | bench | lint | clean
# Each makes the environment that it needs, from nothing but Python.

# The first of these that really runs: pyenv's shims are there for versions that are not.
runs = $(shell for p in $(1); do "$$p" -c "" 2>/dev/null && echo "$$p" && break; done)
PYTHON ?= $(call runs,python3.11 python3.12 python3.13 python3)
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= out/demo

.PHONY: demo test test-3.13 bench lint clean

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py $(OUT)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

# The same tests on the newest Python that the dependencies support, but for the wheel's: it is pure
# Python, so `make test` has tried it already, and here it would fetch torch a second time.
test-3.13:
	$(MAKE) VENV=.venv-3.13 PYTHON="$(call runs,python3.13 $$HOME/.pyenv/versions/3.13*/bin/python)" \
	    .venv-3.13/.installed
	.venv-3.13/bin/python -m pytest --ignore=tests/pipeline/test_wheel.py

bench: $(VENV)/.installed
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .venv-3.13 .cache out build dist
