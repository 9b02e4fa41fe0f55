# install, lint, test, demo: each sets up what it needs and installs only what changed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# a viewer in which a test opens what we serve as IIIF
MIRADOR_VERSION := 4.0.0
MIRADOR := .venv-bench/mirador/mirador.min.js

# many processes are started here: what one of them has compiled, the others load
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install lint test demo docs bench

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

# iiif-prezi3 does not fit beside our Pillow, and Mirador comes from npm; without them their tests are left out
test: $(STAMP)
	-$(MAKE) --no-print-directory --keep-going .venv-bench/iiif/.installed $(MIRADOR)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

demo: $(STAMP)
	$(BIN)/glamlake demo

docs: $(STAMP)
	$(BIN)/glamlake --lake build docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	cp build/reports/sql.html build/site/sql.html

# beside other people's tools: each set of them in an environment of its own; one that cannot be installed is left out
PEERS := $(patsubst tests/benchmarks/peers/%.txt,.venv-bench/%/.installed,$(wildcard tests/benchmarks/peers/*.txt))

bench: $(STAMP)
	-$(MAKE) --keep-going $(PEERS)
	$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

.venv-bench/%/.installed: tests/benchmarks/peers/%.txt
	$(PYTHON) -m venv .venv-bench/$*
	.venv-bench/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(MIRADOR):
	mkdir -p $(@D)
	cd $(@D) && npm pack --silent --fetch-retries=1 --fetch-timeout=60000 mirador@$(MIRADOR_VERSION)
	tar xzf $(@D)/mirador-$(MIRADOR_VERSION).tgz -C $(@D) --strip-components=2 package/dist/mirador.min.js
	rm $(@D)/mirador-$(MIRADOR_VERSION).tgz
	touch $@
