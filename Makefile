# make reproduce   runs the book        make test   proves it        make help   lists the rest
# Both work as the first command in a fresh clone with python3, make and git: they build .venv once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What a run may be told. DATA_ROOT is a folder with ucf101/ golf/ aeroplane/ weizmann/.
PROFILE ?=
DATA_ROOT ?=
ACTIONS ?= ucf101
RUN ?=
SEED ?= 0
REHEARSE ?=
ALLOW_PARTIAL ?=
KEEP ?=
CHECK ?=
CHAPTERS ?=
PARAMETERS ?=
LAB ?=
TIMEOUT ?= 0
FOR ?= 3.12
JOBS ?=
DEVICES ?=
MINUTES ?=
TABLES ?=
PARCELS ?= parcels
PACKAGES ?= $(PARCELS)/packages.tar.xz
LIMIT ?= 60
WAIT ?= 570
PYTHON ?=

ifeq ($(PYTHON),)
  PY := .venv/bin/python
  READY := .venv/.ready
else
  PY := $(PYTHON)
  READY := check-python
endif
# $(call yes,NAME): 1 where the variable says yes, nothing where it says no or is not set; all else ends make.
yes = $(if $($(1)),$(call said,$(1),$(shell "$(PY)" -m hrvgan_lib.series.words $(1) "$($(1))")))
said = $(if $(filter neither,$(2)),$(error $(1)=$($(1)) says neither yes nor no: write $(1)=1 or $(1)=0),$(2))
# A thread that spins while it waits takes a core from whatever else runs: with two busy neighbours a step takes twice as long.
export OMP_WAIT_POLICY ?= passive
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

# What papermill's kernels get too: no progress bars, nothing live, one result.
QUIET := TQDM_DISABLE=1 HRVGAN_HEADLESS=1 PYTHONHASHSEED=0 CUBLAS_WORKSPACE_CONFIG=:4096:8 SOURCE_DATE_EPOCH=0 \
         PYDEVD_DISABLE_FILE_VALIDATION=1 OMP_NUM_THREADS=1 HRVGAN_PROFILE= HRVGAN_RUN= HRVGAN_ACTIONS= HRVGAN_DATA_ROOT=
NBVAL := -p no:python --nbval-lax --nbval-sanitize-with tests/nbval.cfg --nbval-current-env --nbval-cell-timeout 300 \
         -n 2 --dist loadscope

.PHONY: help check-python setup reproduce edition ablations study booking played packages unpack test lint mutants test-lowest coverage bench lab torture repeats nbval \
        notebooks lock licences test-environment clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  variables: PROFILE=smoke|cpu|overnight|gpu|paper DATA_ROOT=<folder> ACTIONS=ucf101|weizmann RUN=<name> SEED=<n>"
	@echo "             REHEARSE=1 ALLOW_PARTIAL=1 CHAPTERS=06,08 TIMEOUT=<seconds a chapter> PYTHON=<interpreter, used as it is>"

setup: $(READY)  ## build .venv from requirements.lock (nothing to do with PYTHON=)

# uv does not read pip's settings, so a machine whose pip knows a mirror tells it.
define LIKE_PIP
index=$${PIP_INDEX_URL:-$$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}; \
if [ -n "$$index" ] && [ -z "$${UV_DEFAULT_INDEX:-}" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
if [ -n "$${PIP_CERT:-}" ]; then export SSL_CERT_FILE="$${SSL_CERT_FILE:-$$PIP_CERT}"; fi
endef

# Bytecode is compiled here, once: without it every chapter spends 10 s more on importing torch. Where uv cannot, pip can.
.venv/.ready: requirements.lock pyproject.toml
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; python=; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed: install one, or name it with PYTHON=" >&2; exit 1; fi; \
	echo "building .venv with $$($$python -V) from requirements.lock (about 6 GB on disk)"; \
	"$$python" -m venv .venv
	@awk '/^[^ ]/ {uv = /^uv==/} uv' requirements.lock > .venv/uv.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	@$(LIKE_PIP); \
	.venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python .venv/bin/python requirements.lock || \
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@.venv/bin/uv pip install --quiet --offline --no-deps --no-build-isolation --python .venv/bin/python -e .
	@touch $@

check-python:
	@"$(PY)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "PYTHON=$(PYTHON) is no Python 3.11 or newer" >&2; exit 1; }
	@"$(PY)" -c 'import sys; from hrvgan_lib.provenance import lacking; gone = lacking(); \
	  sys.exit("PYTHON=$(PYTHON) lacks " + ", ".join(gone) + ": pip install -r requirements.lock, or make packages" if gone else 0)'

DRIVER = "$(PY)" -m hrvgan_lib.series.reproduce --profile "$(PROFILE)" --data-root "$(DATA_ROOT)" --actions "$(ACTIONS)" \
  --seed "$(SEED)" --jobs "$(JOBS)" --devices "$(DEVICES)" --minutes "$(MINUTES)" \
  $(if $(call yes,REHEARSE),--rehearse) $(if $(call yes,ALLOW_PARTIAL),--allow-partial)

reproduce: $(READY)  ## run every chapter: tables and figures into figures/<run>, chapters into runs/<run>
	@$(DRIVER) --run "$(RUN)" --seconds "$(TIMEOUT)" --chapters "$(CHAPTERS)" $(PARAMETERS)

# What earlier sittings kept is taken up, what this one finishes is kept; a stop costs the trainings that run.
# KEEP=1 only keeps, CHECK=1 only marks what today's code would train otherwise.
edition: PROFILE := $(or $(PROFILE),overnight)
edition: $(READY)  ## make the recorded run, PROFILE=overnight, in as many sittings as it takes, its weights beside it
	@$(subst series.reproduce,series.edition,$(DRIVER)) --run "$(RUN)" --seconds "$(TIMEOUT)" --chapters "$(CHAPTERS)" \
	  $(if $(call yes,KEEP),--keep) $(if $(call yes,CHECK),--check) $(PARAMETERS)

ablations: $(READY)  ## every arm of chapter 11, three seeds each, as the run "ablations" (about 100 minutes on two cores)
	@$(DRIVER) --run "$(or $(RUN),ablations)" --seconds 36000 --chapters 11 long=true
	@$(DRIVER) --run "$(or $(RUN),ablations)" --chapters 12

study: $(READY)  ## what the paper leaves open: tables into figures/study (an hour or two on two cores; goes on where it stopped)
	@$(QUIET) "$(PY)" -m hrvgan_lib.series.study --jobs "$(or $(JOBS),2)" $(if $(PARTS),--parts "$(PARTS)")

# Without check-python: what it asks for may be in the archive that booking unpacks. MINUTES and the rest only where set.
booking: $(if $(PYTHON),,$(READY))  ## all of it on a machine booked for minutes: check, run, wait WAIT=570 s, pack (LIMIT=<MB>)
	@"$(PY)" tools/booking.py booking --profile "$(or $(PROFILE),gpu)" --actions "$(ACTIONS)" --run "$(RUN)" \
	  --minutes "$(MINUTES)" --jobs "$(JOBS)" --wait "$(WAIT)" --parcels "$(PARCELS)" --packages "$(PACKAGES)" \
	  --limit "$(LIMIT)" $(if $(call yes,REHEARSE),--rehearse) \
	  $(foreach name,PYTHON DATA_ROOT SEED ALLOW_PARTIAL CHAPTERS TIMEOUT PARAMETERS,$(if $(filter-out 0,$($(name))),'$(name)=$($(name))'))

# PYTHONPATH brings in the played device (tests/stand_in); figures/played and runs/played say so in every sidecar.
played: PROFILE := $(or $(PROFILE),smoke)
played: $(READY)  ## every chapter on a GPU played by the CPU: does all stay where it belongs? (11 minutes; needs c++)
	@PYTHONPATH="$(CURDIR)/tests/stand_in:$(PYTHONPATH)" $(DRIVER) --run "$(or $(RUN),played)" \
	  --seconds "$(TIMEOUT)" --chapters "$(CHAPTERS)" $(PARAMETERS)

packages: .venv/.ready  ## what an offline machine with torch lacks, as one archive in parcels/ (FOR=3.12)
	@$(LIKE_PIP); UV=$(CURDIR)/.venv/bin/uv .venv/bin/python tools/booking.py packages --packages "$(PACKAGES)" \
	  --python-version "$(FOR)"

unpack: $(if $(PYTHON),,$(READY))  ## check the pieces in parcels/ and put their files in place
	@"$(PY)" tools/booking.py unpack --parcels "$(PARCELS)"

test: lint  ## lint, library tests, nbval over notebooks/ (about 5 minutes)
	@$(QUIET) DATA_ROOT="$(DATA_ROOT)" "$(PY)" -m pytest -q -n 2 --dist loadfile tests
	@if compgen -G "notebooks/*.ipynb" > /dev/null; then $(QUIET) "$(PY)" -m pytest -q $(NBVAL) notebooks/; fi

lint: $(READY)
	@"$(PY)" -m ruff check .
	@"$(PY)" -m ruff format --check --quiet . || { echo "not formatted: ruff format ." >&2; exit 1; }
	@"$(PY)" -m ruff check --quiet --select E501 notebooks/*.ipynb
	@"$(PY)" -m mypy

mutants: $(READY)  ## plant small bugs in a scratch copy, one at a time: do the tests see them? (30 minutes)
	@"$(PY)" tools/mutants.py

torture: $(READY)  ## kill the work at random moments, spoil every kind of file: is anything lost? (45 minutes; KILLS=110 FILES=2000)
	@$(QUIET) "$(PY)" tools/torture.py --kills "$(or $(KILLS),110)" --files "$(or $(FILES),2000)"

repeats: $(READY)  ## the series twice from nothing, and with two threads: what differs? (25 minutes; CHAPTERS=00,01)
	@$(QUIET) "$(PY)" tools/repeats.py --chapters "$(CHAPTERS)"

nbval: $(READY)  ## the notebooks' checked cells again and again (TIMES=10: 20 minutes)
	@for turn in $$(seq $(or $(TIMES),10)); do echo "turn $$turn"; \
	  $(QUIET) "$(PY)" -m pytest -q $(NBVAL) notebooks/ || exit 1; done

coverage: $(READY)  ## do the intervals hold what they say? 1,000 repetitions of every made-up case (six minutes)
	@$(QUIET) "$(PY)" tests/simulations.py

bench: $(READY)  ## what a step costs and where, loading, the Fréchet distance: figures/bench, for chapter 13 (SLOW=1: slow rivals too)
	@"$(PY)" -m hrvgan_lib.series.bench $(TABLES)
	@"$(PY)" tests/bench_frechet_distance.py

lab: $(READY)  ## JupyterLab on the chapters, which use PROFILE= and RUN= (LAB="--port 9999 --no-browser": its own flags)
	@"$(PY)" tools/lab.py --profile "$(PROFILE)" --run "$(RUN)" --lab='$(LAB)'

notebooks: $(READY)  ## make the committed .ipynb from the .py (CHAPTERS=06; PROSE=1 keeps the outputs)
	@"$(PY)" -m hrvgan_lib.series.chapters $(if $(call yes,PROSE),--prose) "$(CHAPTERS)"

lock: $(READY)  ## solve pyproject.toml again into requirements.lock (UPGRADE=1: newest versions)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" "$(PY)" -m uv pip compile --universal --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --extra dev $(if $(call yes,UPGRADE),--upgrade) --quiet pyproject.toml \
	  -o requirements.lock

licences: .venv/.ready  ## list the licences of what the lock installs in docs/licences.md
	@.venv/bin/python tools/licences.py

# The oldest versions that pyproject.toml admits: what its floors promise.
test-lowest: .venv/.ready  ## the library tests on the lowest versions that pyproject.toml admits, in .venv-lowest
	@$(LIKE_PIP); \
	.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-lowest; \
	.venv/bin/uv pip compile --quiet --resolution lowest-direct --extra dev pyproject.toml -o .venv-lowest/lowest.txt; \
	.venv/bin/uv pip sync --quiet --python .venv-lowest/bin/python .venv-lowest/lowest.txt
	@$(QUIET) .venv-lowest/bin/python -m pytest -q -n 2 --dist loadfile tests --ignore tests/test_notebooks.py

test-environment: $(READY)  ## install environment.yml's pip section as written into an empty Python
	@"$(PY)" tests/environment.py

RECORDED := bench gpu gpu-weizmann overnight overnight-weizmann readme study
clean:  ## remove what was made: runs, figures, packed and stand-in data, caches (not .venv, not recorded figures)
	@for lock in runs/*/.lock; do \
	  if [ -e "$$lock" ] && command -v flock > /dev/null && ! flock -n "$$lock" true; then \
	    echo "$${lock%/.lock} is being made: end that first" >&2; exit 1; fi; done
	@rm -rf runs data/packed data/standin tests/stand_in/built .pytest_cache .ruff_cache .mypy_cache build *.egg-info
	@find figures -mindepth 1 -maxdepth 1 -type d $(RECORDED:%=! -name %) -exec rm -rf {} + 2>/dev/null || true
	@find . -name .venv -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -print0 | xargs -0 rm -rf
