# Inside MusiCNN. `make` alone lists the targets.
#
# Names of files may hold spaces, quotes and dollar signs:
#   make book AUDIO='My song ($5).mp3'

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed.stamp
PORT ?= 8000
OLDEST_AND_NEWEST := (3, 11) <= sys.version_info[:2] <= (3, 13)

# The first Python that fits, unless PYTHON is given.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not $(OLDEST_AND_NEWEST))' 2>/dev/null \
	&& echo "$$python" && exit; done; echo python3)

# Passed on through the environment and unexpanded, so that no character is lost on the way.
unexport AUDIO AUDIO2 AUDIO3 AUDIO4 AUDIO5 AUDIO6 MODEL START SEGMENTS CHAPTERS JOBS OUTPUT CORPUS
unexport DAMAGED FRESH DRY_RUN ARGS
export BOOK_AUDIO := $(value AUDIO)
export BOOK_AUDIO2 := $(value AUDIO2)
export BOOK_AUDIO3 := $(value AUDIO3)
export BOOK_AUDIO4 := $(value AUDIO4)
export BOOK_AUDIO5 := $(value AUDIO5)
export BOOK_AUDIO6 := $(value AUDIO6)
export BOOK_MODEL := $(value MODEL)
export BOOK_START := $(value START)
export BOOK_SEGMENTS := $(value SEGMENTS)
export BOOK_CHAPTERS := $(value CHAPTERS)
export BOOK_JOBS := $(value JOBS)
export BOOK_OUTPUT := $(value OUTPUT)
export BOOK_CORPUS := $(value CORPUS)
# Switches: anything but 0, no, false and nothing turns them on.
export BOOK_DAMAGED := $(filter-out 0 no false,$(value DAMAGED))
export BOOK_FRESH := $(filter-out 0 no false,$(value FRESH))
export BOOK_DRY_RUN := $(filter-out 0 no false,$(value DRY_RUN))
export BOOK_ARGS := $(value ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book wheel test bench recordings studies units lab serve address lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

book: $(STAMP) ## run the chapters, build the site (AUDIO MODEL START SEGMENTS CHAPTERS, DRY_RUN=1 and more)
	@$(BIN)/musicnn-book build \
		$${BOOK_AUDIO:+"--audio=$$BOOK_AUDIO"} $${BOOK_AUDIO2:+"--audio=$$BOOK_AUDIO2"} \
		$${BOOK_AUDIO3:+"--audio=$$BOOK_AUDIO3"} $${BOOK_AUDIO4:+"--audio=$$BOOK_AUDIO4"} \
		$${BOOK_AUDIO5:+"--audio=$$BOOK_AUDIO5"} $${BOOK_AUDIO6:+"--audio=$$BOOK_AUDIO6"} \
		$${BOOK_MODEL:+"--model=$$BOOK_MODEL"} $${BOOK_CORPUS:+"--corpus=$$BOOK_CORPUS"} \
		$${BOOK_START:+"--start=$$BOOK_START"} $${BOOK_SEGMENTS:+"--segments=$$BOOK_SEGMENTS"} \
		$${BOOK_CHAPTERS:+"--chapters=$$BOOK_CHAPTERS"} $${BOOK_JOBS:+"--jobs=$$BOOK_JOBS"} \
		$${BOOK_OUTPUT:+"--output=$$BOOK_OUTPUT"} $${BOOK_DAMAGED:+--damaged} \
		$${BOOK_FRESH:+--fresh} $${BOOK_DRY_RUN:+--dry-run}

wheel: $(STAMP) ## build the library alone into dist/, to be installed anywhere
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build
	@ls -1t dist/*.whl | head -n 1

test: $(STAMP) ## run the tests (ARGS: for pytest)
	@$(BIN)/python -m pytest $$BOOK_ARGS

bench: $(STAMP) ## measure speed against the original, the package, Essentia, ONNX Runtime (ARGS: --quick ...)
	@$(BIN)/python -m making.benchmarks --install $$BOOK_ARGS
	@$(BIN)/python -m making.benchmarks.install $${BOOK_ARGS:+--table}

recordings: $(STAMP) ## fetch the packages with real music (2.1 GB, Debian), make excerpts and numbers again (ARGS)
	@$(BIN)/python -m making.recordings $$BOOK_ARGS

studies: $(STAMP) ## measure what is missing of the studies in making/studies (ARGS: their names)
	@$(BIN)/python -m making.studies $$BOOK_ARGS

lab: $(STAMP) ## open the chapters in JupyterLab
	@$(BIN)/python -m jupyter lab book

units: $(STAMP) ## make the pages of the units on your music (CORPUS: a data set; MODEL JOBS OUTPUT, ARGS)
	@$(BIN)/python -m making.atlas.own $${BOOK_MODEL:+"--model=$$BOOK_MODEL"} \
		$${BOOK_JOBS:+"--jobs=$$BOOK_JOBS"} $${BOOK_OUTPUT:+"--output=$$BOOK_OUTPUT"} $$BOOK_ARGS \
		-- $${BOOK_CORPUS:+"$$BOOK_CORPUS"}

serve: $(STAMP) ## show the site that was built last, or that of OUTPUT, in the browser (PORT)
	@site="$${BOOK_OUTPUT:+$$BOOK_OUTPUT/site}"; \
	site="$${site:-$$(ls -td _runs/*/site 2>/dev/null | head -n 1)}"; \
	if [ ! -f "$$site/index.html" ]; then \
		echo "No site is built yet: run 'make book' first." >&2; exit 1; \
	fi; \
	echo "$$site is at http://127.0.0.1:$(PORT)/ until you press Ctrl-C."; \
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory "$$site"

address: $(STAMP) ## write the repository's address of _config.yml into the chapters
	@$(BIN)/python -m making.running.launch_buttons

lock: $(STAMP) ## compile requirements.in into requirements.txt
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --fork-strategy fewest --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate requirements.in -o requirements.txt

clean: ## remove what was built, and caches; the environment and fetched packages stay
	rm -rf $(filter-out _runs/packages,$(wildcard _runs/* _runs/.[!.]*)) .pytest_cache .ruff_cache .mypy_cache *.egg-info
	find . -path './$(VENV)*' -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -print \
		| xargs rm -rf

# The stamp comes last, so an install that was interrupted is repeated.
$(STAMP): requirements.txt requirements-nodeps.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(not $(OLDEST_AND_NEWEST))' 2>/dev/null || { \
		echo "Inside MusiCNN needs Python 3.11, 3.12 or 3.13: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-nodeps.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
