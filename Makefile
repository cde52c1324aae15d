# make demo: a hub and its member devices, syncing over HTTP, on a fresh clone
# make soak SECONDS=600 DATABASE=sqlite: histories of a simulated school, for as long as it is told
# make bench: what a sync costs, beside stock Morango; writes docs/performance.md anew
# make test: every tox environment: formatting, lint and types; the tests on SQLite and on PostgreSQL

# The first of these that is here and can make a virtual environment. Django 3.2 takes Python up to 3.11.
PYTHONS := python3.11 python3.10 python3.9 python3 python
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 9) <= sys.version_info < (3, 12))' 2>/dev/null \
	&& echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: bench demo soak test
.DELETE_ON_ERROR:

demo: $(VENV)/demo.installed
	$(BIN)/collection-sync demo

test: $(VENV)/test.installed
	$(BIN)/tox run

SECONDS ?= 600
DATABASE ?= sqlite

soak: $(VENV)/test.installed
	$(BIN)/python -m course_assignment.simulation --steps 1000000 --seconds $(SECONDS) --database $(DATABASE)

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks

# Each is as new as the last installation into .venv, so that a second run installs nothing.
$(VENV)/demo.installed: $(BIN)/python pyproject.toml
	$(PIP) --editable .
	touch $@

$(VENV)/test.installed: $(BIN)/python pyproject.toml
	$(PIP) --editable '.[test]' 'tox>=4.11,<5'
	touch $@

$(VENV)/bench.installed: $(BIN)/python pyproject.toml
	$(PIP) --editable '.[test,bench]'
	touch $@

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.9, 3.10 or 3.11 is needed; none of $(PYTHONS) is one.' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
