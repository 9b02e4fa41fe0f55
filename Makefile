# install, lint, test, demo: each sets up what it needs and installs only what changed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install lint test demo docs bench

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(STAMP)
	$(BIN)/pytest -n 2 --dist loadscope

demo: $(STAMP)
	$(BIN)/glamlake demo

docs: $(STAMP)
	$(BIN)/glamlake --lake build docs

# beside other people's tools, which live in an environment of their own
bench: $(STAMP) .venv-bench/.installed
	for file in tests/benchmarks/bench_*.py; do $(BIN)/python -m tests.benchmarks.$$(basename $$file .py) || exit 1; done

.venv-bench/.installed: constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		imagededup iterative-stratification scikit-multilearn scikit-learn
	touch $@
