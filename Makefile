# Everything on a machine that has only Python (3.11 or later) and make. `make help` lists the targets.
# Options for pip, such as another index for torch's CPU build, go in PIP_OPTIONS or pip's own environment variables.

PYTHON ?= python3
VENV ?= .venv
PIP_OPTIONS ?=
BIN := $(VENV)/bin
DEMO := gru-mini-int8
BENCH_VENV ?= .venv-bench
BULK_VENV ?= .venv-bulk
SERVER_VENV ?= .venv-server
RELEASE_VENV ?= .venv-release
SITE_VENV ?= .venv-site
COVERAGE := COVERAGE_RCFILE=tools/coverage.toml $(BIN)/python -m coverage
BENCH := PYTHONPATH=benchmarks $(BENCH_VENV)/bin/python -m

.PHONY: help demo test coverage lint types structure wheel freeze bundle hostile kills bulk server lesser-cpus raspberry-pi container lean-install pythons ports docs site release-check bench bench-large bench-compare bench-keep bench-docs clean

help:
	@echo "make demo    set up, export the default checkpoint to int8, show its parity, label sample lines"
	@echo "make test    set up, run the whole test suite"
	@echo "make coverage  the lines of the runtime that no light test reaches, and their share; fails below 95 %"
	@echo "make lint    ruff; make types: mypy; make wheel: build the wheel and check it in environments of its own"
	@echo "make structure  sizes, imports and names of the code, beside their limits"
	@echo "make freeze  freeze an app by PyInstaller, zipapp, shiv and pex, run it and compare it; FREEZE_OPTIONS=cx_freeze, nuitka, openvino"
	@echo "make hostile  feed damaged and crafted files to every reader; make kills: kill exports and predictions at random moments"
	@echo "make bulk    Ray and Spark on this machine: tests, equality with predict, CPU time, kills; needs Java 17; BULK_OPTIONS=--rows 20000"
	@echo "make server  attack the server, ask it by curl, Java, Node, Python and Chromium, restart it; needs those and Linux; SERVER_OPTIONS=attacks"
	@echo "make lesser-cpus  hold emulated CPUs (x86 without VNNI, Arm) against this one; needs Debian or Ubuntu"
	@echo "make raspberry-pi  the steps of docs/raspberry-pi.md in an emulated Debian of 64-bit Arm; needs Debian or Ubuntu, Linux 6.7"
	@echo "make container  the Dockerfile's steps in a Debian system in a folder, run read-only; needs root and debootstrap"
	@echo "make lean-install  docs/lean-install.md as it stands: what is left out, the sizes, verify after every step"
	@echo "make pythons  light tests on each Python, the oldest dependencies, 64-bit Arm; PYTHONS_OPTIONS=minimum; Debian's Pythons need root"
	@echo "make ports   run bundles in Node, C and Chromium and hold them against golden outputs; needs node, npm, cc, chromium"
	@echo "make docs    write the pages that are made from the program: the command line"
	@echo "make site    build the documentation as a site in .site/html, and look at it in Chromium where there is one"
	@echo "make release-check  build sdist and wheel twice alike, hold them against git and the changelog; RELEASE_OPTIONS='--tag v1.2.3'"
	@echo "make bench   this project beside other ways to run the same models: 20 minutes; make bench-large: ELECTRA-large's shape"
	@echo "make bench-compare  what became slower since the kept run; make bench-keep: keep the last run, and show it in the docs"
	@echo "make bundle  rebuild the bundle that ships in the package from the checkpoint that ships in it"

demo: $(VENV)/ready
	$(BIN)/sentiment-edge export --model gru-mini --int8 --output $(DEMO) --overwrite
	$(BIN)/sentiment-edge predict $(DEMO) < tests/sample_lines.txt

test: $(VENV)/ready
	$(BIN)/python -m pytest

# Left out: what imports torch, and the tests that see every file that a command opens, coverage's among them.
coverage: $(VENV)/ready
	rm -rf build/coverage
	$(COVERAGE) run -m pytest --ignore tests/export --ignore tests/test_nothing_leaves.py
	$(COVERAGE) combine --quiet
	$(COVERAGE) report

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

structure: $(VENV)/ready
	$(BIN)/python -m tools.structure

wheel: $(VENV)/ready
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist
	PYTHON=$(PYTHON) PIP_OPTIONS='$(PIP_OPTIONS)' sh tools/check_wheel.sh dist/*.whl

freeze: $(VENV)/ready
	PIP_OPTIONS='$(PIP_OPTIONS)' $(BIN)/python -m tools.freeze $(FREEZE_OPTIONS)

bundle: $(VENV)/ready
	$(BIN)/sentiment-edge export --model gru-mini --int8 --overwrite --output runtimes/sentiment_edge_runtimes/models/gru-mini-int8
	{ echo '# Default model'; echo; cat export/sentiment_edge_export/checkpoints/packaged/gru-mini/card.md; } > docs/default-model.md

hostile: $(VENV)/ready
	$(BIN)/python -m tools.hostile $(HOSTILE_OPTIONS)

kills: $(VENV)/ready
	$(BIN)/python -m tools.kill_exports
	$(BIN)/python -m tools.kill_predictions

bulk: $(BULK_VENV)/ready
	@command -v java > /dev/null || test -x "$$JAVA_HOME/bin/java" || { echo "make bulk: Spark needs Java 17 or later: install it first" >&2; exit 1; }
	$(BULK_VENV)/bin/python -m pytest tests/sentiment_edge/bulk
	$(BULK_VENV)/bin/python -m tools.bulk $(BULK_OPTIONS)

server: $(SERVER_VENV)/ready
	$(SERVER_VENV)/bin/python -m tools.strangers $(SERVER_OPTIONS)

lesser-cpus: $(VENV)/ready
	PYTHONPATH=tests $(BIN)/python -m tools.emulation $(EMULATION_OPTIONS)

raspberry-pi: $(VENV)/ready
	PYTHONPATH=tests $(BIN)/python -m tools.emulation.raspberry_pi $(EMULATION_OPTIONS)

container: wheel
	$(BIN)/python -m tools.container $(CONTAINER_OPTIONS)

lean-install: wheel
	$(BIN)/python -m tools.lean_install

pythons: $(VENV)/ready
	PIP_OPTIONS='$(PIP_OPTIONS)' PYTHONPATH=tests $(BIN)/python -m tools.pythons $(PYTHONS_OPTIONS)

ports: $(VENV)/ready
	PYTHONPATH=tests $(BIN)/python -m tools.ports $(PORTS_OPTIONS)

docs: $(VENV)/ready
	$(BIN)/typer sentiment_edge.cli utils docs --name sentiment-edge --title 'Command line' --output docs/command-line.md

site: $(SITE_VENV)/ready
	$(SITE_VENV)/bin/python -m tools.site

release-check: $(RELEASE_VENV)/ready
	rm -rf dist
	$(RELEASE_VENV)/bin/python -m tools.release check $(RELEASE_OPTIONS)
	PYTHON=$(PYTHON) PIP_OPTIONS='$(PIP_OPTIONS)' sh tools/check_wheel.sh dist/*.whl

bench: $(BENCH_VENV)/ready
	$(BENCH) suite $(BENCH_OPTIONS)

bench-large: $(BENCH_VENV)/ready
	$(BENCH) suite --subjects electra-large --rounds 3 $(BENCH_OPTIONS)

bench-compare: $(BENCH_VENV)/ready
	$(BENCH) suite.report.compare .bench/results benchmarks/results

bench-keep: $(BENCH_VENV)/ready
	$(BENCH) suite.report.keep .bench/results/*.json

bench-docs: $(BENCH_VENV)/ready
	$(BENCH) suite.report.keep

clean:
	rm -rf $(VENV) $(BENCH_VENV) $(BULK_VENV) $(SERVER_VENV) $(RELEASE_VENV) $(SITE_VENV) .site .bench .freeze dist $(DEMO)

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --editable ".[export,openvino,plot,serve,test]"
	@touch $@

$(BULK_VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BULK_VENV)
	$(BULK_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --editable ".[ray,spark,openvino]" pytest hypothesis psutil
	@touch $@

$(SERVER_VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(SERVER_VENV)
	$(SERVER_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --editable ".[serve]" schemathesis httpx requests urllib3 playwright
	@touch $@

$(SITE_VENV)/ready: tools/site/requirements.txt constraints.txt
	$(PYTHON) -m venv $(SITE_VENV)
	$(SITE_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --requirement tools/site/requirements.txt
	@touch $@

$(RELEASE_VENV)/ready: tools/release/requirements.txt constraints.txt
	$(PYTHON) -m venv $(RELEASE_VENV)
	$(RELEASE_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --requirement tools/release/requirements.txt
	@touch $@

$(BENCH_VENV)/ready: pyproject.toml constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --constraint constraints.txt --requirement benchmarks/requirements.txt --editable ".[export,openvino,plot]"
	@touch $@
