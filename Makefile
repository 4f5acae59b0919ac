# An index of verbs; what they do is in the code. Every target sets itself up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= results/reference

.DEFAULT_GOAL := help
.PHONY: help setup demo bench bench-all bench-load bench-scale smoke test test-slow test-browser conform kill proofs lint notebooks docs reference lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.bench $(VENV)/.dev  ## make .venv with everything in it

demo: $(VENV)/.bench  ## the transports side by side in a browser, on one feed; DEMO='--open --port 8701'
	$(BIN)/pushbench serve --demo $(DEMO)

# pushbench exits with 1 if a verdict doubts a number: reason to look, for CI to stop, but the bench itself was made.
bench: $(VENV)/.bench  ## the five transports side by side, in three minutes: table, charts, report
	$(BIN)/pushbench run overview || test $$? -eq 1

bench-all: $(VENV)/.bench  ## every scenario, one after the other; says first how long that takes
	$(BIN)/python -m pushbench.everything

bench-load: $(VENV)/.bench  ## what the load side spends on a delivery, beside a C program that only receives; seven minutes
	$(BIN)/python -m benchmarks.receiving

bench-scale: $(VENV)/.bench  ## that, one server beside nchan and a floor in C, and 100,000 subscribers on each transport; an hour
	$(BIN)/python -m benchmarks.receiving
	$(BIN)/python -m benchmarks.serving
	$(BIN)/pushbench run scale || test $$? -eq 1

# On a busy machine it doubts its numbers, but every transport delivers.
smoke: $(VENV)/.bench  ## does every transport deliver? in 15 seconds
	$(BIN)/pushbench run smoke || $(BIN)/pushbench check --only-loss

test: $(VENV)/.dev  ## all tests but the slow ones, three at a time
	$(BIN)/python -m pytest -n 3 --dist worksteal

test-slow: $(VENV)/.dev  ## the slow ones: known truth, killed runs, full disks, ten thousand malformed requests, other servers, more trials
	$(BIN)/python -m pytest -n 3 --dist worksteal -m slow

# Apart, because what drives the one keeps an event loop running that the other must not meet.
test-browser: $(VENV)/.dev  ## the demo, and trials, in a real browser, Debian's chromium; skipped where there is none
	$(BIN)/python -m pytest -m browser tests/browser
	$(BIN)/python -m pytest -m browser tests/pushbench/test_browser.py

kill: $(VENV)/.dev  ## kill 200 runs, and interrupt 50, at random moments: is anything lost or left? half an hour
	$(BIN)/python -m tests.proofs.killing --times 200
	$(BIN)/python -m tests.proofs.killing --times 50 --signal INT

conform: $(VENV)/.dev  ## does every target that is installed do what its contract claims? three minutes
	$(BIN)/pushbench conform

proofs: $(VENV)/.dev  ## provoke each verdict, compare equal runs, and one with a server slowed by 30 %: 12 quiet minutes
	$(BIN)/python -m tests.proofs.verdicts
	$(BIN)/python -m tests.proofs.comparing $$(mktemp -d)

lint: $(VENV)/.dev  ## style, imports, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

notebooks: $(VENV)/.dev  ## execute the notebooks anew, on RUN=results/reference
	$(BIN)/python notebooks/execute.py $(RUN)

# Nothing in it goes to the network: links to other sites are not followed.
docs: $(VENV)/.dev  ## these pages, the notebooks and a reference from the code as a site, docs/_build/html; every link is followed
	$(BIN)/python -m docs.site

reference: $(VENV)/.bench  ## take the newest overview as results/reference, and the README's table and picture from it
	$(BIN)/python -m pushbench.reference

lock: $(VENV)/.dev  ## compile requirements.lock anew
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --all-extras --strip-extras --no-header --no-annotate \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock pyproject.toml

clean:  ## remove .venv, caches and all runs but the reference
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist docs/_build docs/reference
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find results -mindepth 1 -maxdepth 1 -type d ! -name reference -exec rm -rf {} +

# The lock file constrains both; what measures needs no tools of development.
$(VENV)/.bench: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[compression,h2,redis,tls,webtransport]'
	touch $@

$(VENV)/.dev: $(VENV)/.bench
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[browser,compression,dev,docs,h2,notebooks,redis,servers,tls,webtransport]'
	touch $@
