# Mooring. `make run` does the main job, `make test` passes the tests; each sets up what is missing on the machine.
SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
SPECS ?= examples/gitops
NODE := node_modules/.bin/node
LIB := $(DESTDIR)$(PREFIX)/lib/mooring

.PHONY: help setup build native run test test-vm lint generate conformance bench clean install uninstall

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what building needs (Debian and npm packages, the pinned Node)
	@scripts/setup.sh build

native: setup
	@$(MAKE) --no-print-directory -j$$(nproc) -C native all

build: native ## Build the native part and the program
	@$(NODE) scripts/build.ts

run: build ## Start the daemon over examples/gitops (SPECS=DIR for another folder)
	@exec ./bin/mooring daemon --specs $(SPECS) --view

test: ## Set up, build, and run every test
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory build
	@$(NODE) test/run.ts

test-vm: ## Run the tests that meet the kernel on pure cgroup v2, in a QEMU machine (test/vm)
	@scripts/setup.sh vm
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory -j$$(nproc) -C native tests
	@test/vm/test.sh
	@test/vm/test.sh -s

lint: setup ## Types, lint rules, import arrows, generated files
	@$(NODE) node_modules/typescript/bin/tsc
	@$(NODE) node_modules/oxlint/bin/oxlint --type-aware --deny-warnings
	@$(NODE) scripts/generate.ts --check
	@$(NODE) scripts/state-diagram.ts --check

generate: setup ## Write what is generated from the schemas and the machine
	@$(NODE) scripts/generate.ts
	@$(NODE) scripts/state-diagram.ts

conformance: native ## Run the suites of opencontainers/runtime-tools and runc, fetched now, against the runtime (docs/conformance.md)
	@scripts/setup.sh conformance
	@status=0; scripts/conformance.sh || status=1; scripts/conformance-runc.sh || status=1; exit $$status

bench: ## Measure every topic beside its peers; writes docs/performance.md
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory build
	@$(NODE) test/bench/run.ts

bench-%: ## Measure one topic (start, restart, scale, cli, logs, …)
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory build
	@$(NODE) test/bench/run.ts $*

install: build ## Install below PREFIX (default /usr/local)
	install -d $(LIB)/dist $(LIB)/native/build $(LIB)/bin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0755 $$(readlink -f $(NODE)) $(LIB)/node
	cp -r dist/. $(LIB)/dist/
	install -m 0755 native/build/mooring-runtime native/build/mooring-archive native/build/mooring.node $(LIB)/native/build/
	install -m 0755 bin/mooring $(LIB)/bin/mooring
	ln -sfn ../lib/mooring/bin/mooring $(DESTDIR)$(PREFIX)/bin/mooring
	sed 's|@PREFIX@|$(PREFIX)|g' manifests/systemd/mooring.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/mooring.service

uninstall: ## Remove what install put there
	rm -rf $(LIB) $(DESTDIR)$(PREFIX)/bin/mooring $(DESTDIR)$(PREFIX)/lib/systemd/system/mooring.service

clean: ## Remove what was built
	rm -rf dist native/build test/bench/results
