# Everything is made from here. Works with GNU make 3.81 and later.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
# Many short processes import the package: each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
STAMP := $(VENV)/.installed
DOCS := $(VENV)/.installed-docs
ifeq ($(OS),Windows_NT)
PY := $(VENV)/Scripts/python
else
PY := $(VENV)/bin/python
endif

.PHONY: help figures report check-report notebooks readme test test-oldest test-each mutants lint bench data data-accept calibration lab clean

help: ## print these sentences
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1~\2/p' Makefile | awk -F'~' '{printf "%-14s %s\n", $$1, $$2}'

# The stamp is written last: an install that was broken off starts again.
$(STAMP): pyproject.toml constraints.txt
	@found=""; \
	for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or later is needed and none was found; name one with make PYTHON=/path/to/python" >&2; exit 1; fi; \
	if ! "$$found" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  echo "$$found has no venv module: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; fi; \
	echo "making $(VENV) with $$found"; \
	rm -f $(STAMP); "$$found" -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[notebooks,test]"
	@touch $(STAMP)

# What makes the site is large: the pictures do without it.
$(DOCS): $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs,notebooks,test]"
	@touch $(DOCS)

figures: $(STAMP) ## draw every figure into figures/, with its numbers and its text
	@$(PY) -m impact figures

report: $(DOCS) ## make the site: every event, notebook, figure and function, in build/report/
	@$(PY) -m impact report

check-report: report ## look at every page of the site in a browser
	IMPACT_SITE=build/report $(PY) -m pytest tests/report

notebooks: $(STAMP) ## run every notebook offline and save it as HTML in build/notebooks/
	$(PY) tests/run_notebooks.py build/notebooks

readme: $(STAMP) ## fill the numbers of README.md, the guide and the methods in again
	$(PY) -m cogapp -r README.md docs/methods/*.md
	$(PY) tests/project/test_guide.py

test: $(DOCS) ## check everything: numbers, words, pictures, notebooks, bad input
	$(PY) -m pytest -n 2

test-oldest: $(STAMP) ## check everything with the oldest versions that pyproject.toml allows
	$(PY) -m pip install --quiet uv
	$(PY) -m uv venv --quiet --clear --seed --python $(PY) build/oldest
	$(PY) -m uv pip install --quiet --python build/oldest --resolution lowest-direct -e ".[docs,notebooks,test]"
	build/oldest/bin/python -m pytest -n 2 --deselect \
	  tests/project/test_environment.py::test_every_dependency_is_pinned_to_the_version_that_passed

PYTHONS ?= python3.11 python3.12 python3.13 python3.14
test-each: $(STAMP) ## check everything on each Python that is found, or is named with PYTHONS=
	$(PY) -m pip install --quiet uv
	@for python in $(PYTHONS); do \
	  command -v "$$python" >/dev/null 2>&1 || { echo "$$python: not found"; continue; }; \
	  "$$python" --version && \
	  $(PY) -m uv venv --quiet --clear --seed --python "$$python" build/each && \
	  $(PY) -m uv pip install --quiet --python build/each -e ".[docs,notebooks,test]" && \
	  build/each/bin/python -m pytest -n 2 --deselect \
	    tests/project/test_environment.py::test_every_dependency_is_pinned_to_the_version_that_passed \
	    || exit 1; \
	done

SAMPLE ?= all
SEED ?= 0
mutants: $(STAMP) ## count the changes of the code that no test notices (hours; SAMPLE=5 for five a file, FILES for some)
	$(PY) -m pip install --quiet --disable-pip-version-check --upgrade --target build/cosmic-ray "cosmic-ray>=8.4,<9"
	PYTHONPATH=build/cosmic-ray $(PY) tests/run_mutants.py $(SAMPLE) $(SEED) $(FILES)

lint: $(STAMP) ## look for mistakes that can be seen without running the code
	$(PY) -m ruff check impact calibration tests benchmarks
	$(PY) -m ruff format --check impact calibration tests benchmarks
	$(dir $(PY))lint-imports
	$(PY) -m mypy

bench: $(STAMP) ## measure speed and memory, beside other packages (minutes; writes benchmarks/RESULTS.md)
	$(PY) -m benchmarks

data: $(STAMP) ## add what is new to the committed prices, from the network
	$(PY) -m impact data

calibration: $(STAMP) ## measure again how often each test errs (minutes; writes data/calibration.csv)
	$(PY) -m calibration

data-accept: $(STAMP) ## accept a deliberate change of the files in data/
	$(PY) -c 'from impact.market.files import main; main([])'

lab: $(STAMP) ## open the notebooks in JupyterLab
	$(PY) -m jupyter lab notebooks

clean: ## delete what make made: build/ and .venv/
	rm -rf build $(VENV)
