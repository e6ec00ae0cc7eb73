# Mooring: `make run` does the main job, `make test` passes the tests; both set up what is missing.
SHELL := /bin/bash
PREFIX ?= /usr/local
NODE_MODULES := node_modules/.package-lock.json
NODE := node_modules/.bin/node

.PHONY: setup build native run test lint bench clean install
setup: $(NODE_MODULES)
$(NODE_MODULES): package.json package-lock.json scripts/setup.sh
	scripts/setup.sh
build: setup native
	$(NODE) scripts/build.ts
native: setup
	$(MAKE) -C native
