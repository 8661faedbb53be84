# make demo | test | test-cpus | test-install | test-install-all | test-kills | test-3.13 | test-blender | golden |
#      fuzz | extension | blender-images | bench | lint | docs | clean
# Each makes the environment that it needs, from nothing but Python.

# The first of these that really runs: pyenv's shims are there for versions that are not.
runs = $(shell for p in $(1); do "$$p" -c "" 2>/dev/null && echo "$$p" && break; done)
PYTHON ?= $(call runs,python3.11 python3.12 python3.13 python3)
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= out/demo

# The bpy wheels, newest first, and the Python that each of them wants.
BLENDERS = 5.3 5.2 5.1 5.0 4.5 4.2
BPY_5.3 = 5.3.0
BPY_5.2 = 5.2.3
BPY_5.1 = 5.1.2
BPY_5.0 = 5.0.1
BPY_4.5 = 4.5.15
BPY_4.2 = 4.2.23
PYTHON_OF_BPY = $(if $(filter $(1),5.0 4.5 4.2),3.11,3.13)
python_of_bpy = $(BPY_PYTHON_$(call PYTHON_OF_BPY,$(1)))
BPY_PYTHON_3.11 ?= $(call runs,python3.11 $$HOME/.pyenv/versions/3.11*/bin/python)
BPY_PYTHON_3.13 ?= $(call runs,python3.13 $$HOME/.pyenv/versions/3.13*/bin/python)
USABLE = $(strip $(foreach v,$(BLENDERS),$(if $(call python_of_bpy,$(v)),$(v))))
NEWEST = $(firstword $(USABLE))
OLDEST = $(filter-out $(NEWEST),$(lastword $(USABLE)))
ZIP = dist/osmnet.zip

.PHONY: demo test test-cpus test-install test-install-all test-install-3.11 test-install-3.12 test-install-3.13 \
        golden golden-blender tables test-3.13 test-kills test-blender \
        fuzz extension blender-images bench lint docs clean
.PHONY: test-blender-ends $(BLENDERS:%=test-blender-%)

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

# Blender's environments are apart from the SDK's: they share no package but pytest.
.venv-blender-%/.installed: constraints.txt
	test -n "$(call python_of_bpy,$*)" || { \
	    echo "Blender $* needs Python $(call PYTHON_OF_BPY,$*), which was not found." >&2; exit 1; }
	test -x .venv-blender-$*/bin/python || $(call python_of_bpy,$*) -m venv .venv-blender-$*
	.venv-blender-$*/bin/python -m pip install --quiet -c constraints.txt pytest pytest-timeout
	.venv-blender-$*/bin/python -m pip install --quiet "bpy==$(BPY_$*)" "numpy<3"
	tests/blender/install_libraries.sh .venv-blender-$*/bin/python
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py $(OUT)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	rm -rf build/lint && $(BIN)/python blender_addon/build.py stage build/lint/osmnet_addon
	$(BIN)/mypy --strict --follow-imports=silent build/lint/osmnet_addon/core

test: lint
	$(BIN)/python -m pytest --cov --cov-report=
	$(MAKE) test-blender-ends

# Digests of outputs, to be compared with those of before: tests/golden.py --compare BEFORE AFTER.
GOLDEN ?= out/golden.json
golden: $(VENV)/.installed
	$(BIN)/python tests/golden.py $(GOLDEN)

golden-blender: golden extension .venv-blender-5.0/.installed
	.venv-blender-5.0/bin/python tests/golden.py $(GOLDEN) --blender $(ZIP) $(BIN)/python

# The tests that compare numbers, as on processors with fewer instructions, and on one thread.
test-cpus: $(VENV)/.installed
	$(BIN)/python tests/cpus.py

# What users get: the wheel with the newest and with the oldest of all that it needs, by the main job.
# TORCH, such as "torch==2.13.0", is then taken in place of the newest and the oldest.
INSTALL = $(BIN)/python tests/install/run.py
test-install: $(VENV)/.installed
	$(INSTALL) --versions newest
	$(INSTALL) --versions oldest

test-install-3.11 test-install-3.12 test-install-3.13: test-install-%: $(VENV)/.installed
	@python="$(call runs,python$* $$HOME/.pyenv/versions/$*.*/bin/python)"; \
	test -n "$$python" || { echo "Python $* is not on this machine: left out."; exit 0; }; \
	$(INSTALL) --versions newest --python "$$python" && \
	$(INSTALL) --versions oldest --python "$$python"

test-install-all: test-install-3.11 test-install-3.12 test-install-3.13

# The same tests on the newest Python that the dependencies support, but for the wheel's: it is pure
# Python, so `make test` has tried it already, and here it would fetch torch a second time.
test-3.13:
	$(MAKE) VENV=.venv-3.13 PYTHON="$(call runs,python3.13 $$HOME/.pyenv/versions/3.13*/bin/python)" \
	    .venv-3.13/.installed
	.venv-3.13/bin/python -m pytest --ignore=tests/pipeline/test_wheel.py

# A hundred commands killed at random moments, and run again; `make test` does a handful.
KILLS ?= 100
test-kills: $(VENV)/.installed
	$(BIN)/python -m tests.kills $(KILLS)

# The extension's zip, built and validated by Blender's own tool.
extension: $(if $(NEWEST),.venv-blender-$(NEWEST)/.installed)
	test -n "$(NEWEST)" || { echo "Blender's tool needs Python 3.11 or 3.13." >&2; exit 1; }
	.venv-blender-$(NEWEST)/bin/python blender_addon/build.py zip $(ZIP)

# That zip, installed into a Blender and used there with the real engine; a process for each version.
TESTS_OF_BLENDER =
$(BLENDERS:%=test-blender-%): test-blender-%: .venv-blender-%/.installed $(VENV)/.installed extension
	.venv-blender-$*/bin/python tests/blender/run.py $(ZIP) $(BIN)/python $(TESTS_OF_BLENDER)

test-blender: $(USABLE:%=test-blender-%)
	@echo "Tested with Blender: $(or $(USABLE),none). $(NO_PYTHON)"

# Of the versions that the Pythons here can run, the newest with all tests, and the oldest without
# those of the networks: they run in the engine, which is the same for both.
test-blender-ends:
	$(if $(NEWEST),$(MAKE) test-blender-$(NEWEST))
	$(if $(OLDEST),$(MAKE) test-blender-$(OLDEST) TESTS_OF_BLENDER='-m "not real"')
	@echo "Tested with Blender: $(or $(NEWEST),none)$(OLDEST:%=, and % without the networks)." \
	    "$(if $(BETWEEN),Left out to save time: $(BETWEEN); 'make test-blender' runs them.)" \
	    "$(NO_PYTHON)"

BETWEEN = $(strip $(filter-out $(NEWEST) $(OLDEST),$(USABLE)))
NO_PYTHON = $(strip $(foreach p,3.13 3.11,$(if $(BPY_PYTHON_$(p)),,Left out: Blender \
    $(strip $(foreach v,$(BLENDERS),$(if $(filter $(p),$(call PYTHON_OF_BPY,$(v))),$(v)))), \
    which want Python $(p) and find none here.)))

# The pictures of docs/blender.md.
blender-images: extension $(VENV)/.installed
	.venv-blender-$(NEWEST)/bin/python docs/images/blender.py $(ZIP) $(BIN)/python

# 20 000 odd inputs of all kinds; FUZZ_FIRST=20000 tries others.
FUZZ_FIRST ?= 0
fuzz: $(VENV)/.installed
	$(BIN)/python -m tests.fuzz --cases 20000 --jobs 2 --first $(FUZZ_FIRST)

bench: $(VENV)/.installed extension
	$(BIN)/python -m tests.bench
	.venv-blender-$(NEWEST)/bin/python tests/bench/blender.py $(ZIP) $(BIN)/python

# The manual's tables of options and the extension's options.json, out of the options' schema.
tables: $(VENV)/.installed
	$(BIN)/python docs/tables.py --write

# The manual as a site, out/site/index.html; it fails at a link that leads nowhere.
docs: $(VENV)/.installed
	$(BIN)/python docs/site.py

clean:
	rm -rf $(VENV) .venv-3.13 .venv-blender-* .cache out build dist
