# make demo     install and run the main job on the embedded default
# make test     install what tests need and run the default tier: offline, under 4 minutes on two idle cores
# make help     everything else

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
INSTALL = $(PIP) install --constraint .ci/constraints.txt

.PHONY: help install demo scatter test test-portable test-slow test-gpu test-wheel lint docs clean

help:
	@echo "make install    graphkd into $(VENV), versions from .ci/constraints.txt"
	@echo "make demo       a distilled MLP beside its teacher, on the embedded data set"
	@echo "make test       the default tests: offline, under 4 minutes on two idle cores"
	@echo "make test-slow  the tests that take long or need real data sets; GRAPHKD_DATA=DIR holds them"
	@echo "make test-portable  the numeric tests as on a processor without vector instructions, with two threads"
	@echo "make test-gpu   the tests that need a CUDA device"
	@echo "make test-wheel builds the wheel and runs it outside the checkout"
	@echo "make lint       ruff, and mypy in strict mode"
	@echo "make docs       the documentation as a website in site/: open site/index.html"
	@echo "make scatter    builds torch-scatter against the installed torch: 3 to 12 minutes, needs a compiler"
	@echo "make clean      removes $(VENV) and caches"

install: $(VENV)/.graphkd

$(VENV)/.graphkd: pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "graphkd needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.graphkd
	$(INSTALL) --editable ".[test]"
	@touch $@

$(VENV)/.lint: $(VENV)/.graphkd
	$(INSTALL) --editable ".[lint]"
	@touch $@

$(VENV)/.docs: $(VENV)/.graphkd
	$(INSTALL) --editable ".[docs]"
	@touch $@

# Its setup.py imports torch, hence no build isolation; and this is the only way to compile on two cores.
$(VENV)/.scatter: $(VENV)/.graphkd
	printf '[build_ext]\nparallel = 2\n' > $(VENV)/scatter.cfg
	$(INSTALL) setuptools
	DIST_EXTRA_CONFIG=$(abspath $(VENV))/scatter.cfg $(INSTALL) --no-cache-dir --no-build-isolation torch-scatter
	$(VENV)/bin/python -c "import torch, torch_scatter; print('torch-scatter', torch_scatter.__version__)"
	@touch $@

scatter: $(VENV)/.scatter

demo: install
	$(VENV)/bin/graphkd distill

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# The numeric folders as on a processor without vector instructions, whose sums go in another order.
NUMERIC = $(addprefix tests/,balance calibration cluster columns contract deploy/runtimes dropout encoders evaluation influence \
	kernels matching methods outofcore positions sparse students teachers terms training transforms)

test-portable: $(VENV)/.test
	ATEN_CPU_CAPABILITY=default OPENBLAS_CORETYPE=Nehalem OMP_NUM_THREADS=2 \
		$(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(NUMERIC)

test-slow: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m slow -n auto --maxprocesses 2 --dist worksteal

test-gpu: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m gpu

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# Warnings and broken links are errors; nothing is fetched.
docs: $(VENV)/.docs
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going --quiet -b html -d build/doctrees docs site
	$(VENV)/bin/python docs/check_site.py site

# The wheel, unpacked beside nothing of the checkout, has its configs and runs.
test-wheel: $(VENV)/.graphkd
	rm -rf build/wheel && mkdir -p build/wheel
	$(PIP) wheel --no-deps --wheel-dir build/wheel .
	$(PIP) install --no-deps --target build/wheel/site build/wheel/*.whl
	cd build/wheel && PYTHONPATH=site $(abspath $(VENV))/bin/python -m graphkd distill training.max_epochs=3

clean:
	rm -rf $(VENV) build dist site docs/generated .hypothesis .mypy_cache .pytest_cache .ruff_cache
