# Everything a workstation does with this project. Needs git, make and Python 3.11 or newer.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test fuzz drill bench bench-outbox bench-scaling check fmt audit sbom lock configuration openapi lint-openapi asyncapi lint-asyncapi lint-containers try-image restore-drill clean

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 …` takes another one.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; \
	done)
BIN := .venv/bin
# Written last, so that an interrupted installation is never taken for a complete one.
ENVIRONMENT := .venv/complete
ARGS ?=
# What Python has compiled is kept: tests start hundreds of processes, and each would compile a
# thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(ENVIRONMENT)  ## Run the service with a demo on http://localhost:8000 (PORT=8001 make run: elsewhere).
	@$(BIN)/python manage.py run_local

# A file's tests run in one process, which makes once what they share.
test: $(ENVIRONMENT)  ## Run the tests; ARGS="-k close tests/unit" narrows them down.
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

# SEED=7 tries other values than the last time.
fuzz: $(ENVIRONMENT)  ## Attack the live service with what its own document says: make fuzz SEED=7.
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed "$(SEED)") $(ARGS)

# Needs RabbitMQ's programs; SECONDS=20 is the short form that CI runs.
drill: $(ENVIRONMENT)  ## Let everything fail while cases change, and count losses: make drill SEED=7 SECONDS=600.
	$(BIN)/python -m tests.drill $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

# KEEP=1 keeps the databases; PEER names a folder of another implementation, see tests/bench/README.md.
bench: $(ENVIRONMENT)  ## Measure the service under load: make bench PEER=folder KEEP=1 ROUNDS=5 SECONDS=5.
	@result=0; \
	$(BIN)/python -m tests.bench $(if $(PEER),--peer "$(PEER)") $(if $(KEEP),--keep) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS) || result=$$?; \
	$(MAKE) --no-print-directory bench-outbox || result=$$?; \
	exit $$result

# Also alone: it needs no cases, and takes five minutes instead of twenty.
bench-outbox: $(ENVIRONMENT)  ## Measure how fast the outbox drains and wakes up: make bench-outbox KEEP=1 ROUNDS=5.
	@result=0; \
	$(BIN)/python -m tests.bench.outbox $(if $(KEEP),--keep) $(if $(ROUNDS),--rounds $(ROUNDS)) || result=$$?; \
	$(BIN)/python -m tests.bench.destinations $(if $(ROUNDS),--rounds $(ROUNDS)) || result=$$?; \
	exit $$result

# What more processes and a replica bring on this machine, for docs/scaling.md.
bench-scaling: $(ENVIRONMENT)  ## Measure one and two web workers, drainers, and a replica: make bench-scaling KEEP=1.
	@$(BIN)/python -m tests.bench.scaling $(if $(KEEP),--keep) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

fmt: $(ENVIRONMENT)  ## Format the code and repair what can be repaired without thought.
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

# Values that make a production start complete; nothing listens there, nobody is told them.
PRODUCTION = APP_ENV=production \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	DATABASE_URL=postgresql://cases@database.invalid/cases \
	ALLOWED_HOSTS=cases.example.org \
	CSRF_TRUSTED_ORIGINS=https://cases.example.org

check: $(ENVIRONMENT)  ## Run the quality gate: format, lint, types, walls, settings, migrations, documents.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	@echo 'manage.py check --deploy, as in production'
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	LOG_LEVEL=warning DJANGO_SETTINGS_MODULE=tests.migration.lint_settings $(BIN)/python manage.py lintmigrations --quiet ok ignore
	@mkdir -p var
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml
	diff -u docs/openapi.yaml var/openapi.yaml || { echo 'docs/openapi.yaml is not what the code makes: make openapi' >&2; exit 1; }
	$(BIN)/python manage.py asyncapi --file var/asyncapi.yaml
	diff -u docs/asyncapi.yaml var/asyncapi.yaml || { echo 'docs/asyncapi.yaml is not what the code makes: make asyncapi' >&2; exit 1; }
	$(BIN)/python manage.py configuration --check

configuration: $(ENVIRONMENT)  ## Write the variables into docs/configuration.md and .env.example from the code.
	$(BIN)/python manage.py configuration

openapi: $(ENVIRONMENT)  ## Write docs/openapi.yaml from the code.
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

# Written last, and named by its versions, so that neither half an installation nor an old one is used.
SPECTRAL := var/spectral/cli-6.16.3-owasp-2.0.1
lint-openapi: $(SPECTRAL)  ## Lint docs/openapi.yaml with Spectral, OWASP rules included; needs Node.js and npm.
	var/spectral/node_modules/.bin/spectral lint --fail-severity=hint docs/openapi.yaml

$(SPECTRAL):
	rm -rf var/spectral
	npm install --prefix var/spectral --no-audit --no-fund --loglevel=error --save-exact \
		@stoplight/spectral-cli@6.16.3 @stoplight/spectral-owasp-ruleset@2.0.1
	@touch $@

asyncapi: $(ENVIRONMENT)  ## Write docs/asyncapi.yaml from the code.
	$(BIN)/python manage.py asyncapi --file docs/asyncapi.yaml

ASYNCAPI := var/asyncapi/parser-3.6.6
lint-asyncapi: $(ASYNCAPI)  ## Validate docs/asyncapi.yaml with AsyncAPI's own parser; needs Node.js and npm.
	NODE_FOLDER=var/asyncapi node .ci/lint_asyncapi.mjs docs/asyncapi.yaml

$(ASYNCAPI):
	rm -rf var/asyncapi
	npm install --prefix var/asyncapi --no-audit --no-fund --loglevel=error --save-exact @asyncapi/parser@3.6.6
	@touch $@

lint-containers: $(ENVIRONMENT)  ## Lint the Dockerfile with hadolint, and compose.yaml against the schema of its specification.
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

# Needs no engine: pip fetches what the Dockerfile installs.
try-image: $(ENVIRONMENT)  ## Carry out the Dockerfile's lines in an empty folder, and start what comes of it.
	$(BIN)/python -m tests.image

restore-drill: $(ENVIRONMENT)  ## Back up a database while cases change, restore it to a moment, and verify its trail.
	$(BIN)/python -m tests.restore $(ARGS)

# --strict: a package that could not be looked up would otherwise count as one without holes.
audit: $(ENVIRONMENT)  ## Look for known holes in what is installed; a package without an answer is a failure.
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.txt
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements-traces.txt
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements-dev.txt

sbom: $(ENVIRONMENT)  ## Write var/sbom.json, the bill of materials of the service (CycloneDX), checked against its schema.
	@mkdir -p var
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate -o var/sbom.json requirements.txt

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header \
	--no-emit-index-url --python-version 3.11 pyproject.toml
lock: $(ENVIRONMENT)  ## Bring requirements*.txt in line with pyproject.toml; ARGS=--upgrade takes the newest.
	$(COMPILE) -o requirements.txt $(ARGS)
	$(COMPILE) -c requirements.txt --extra traces -o requirements-traces.txt $(ARGS)
	$(COMPILE) -c requirements-traces.txt --extra traces --group dev --group browser -o requirements-dev.txt $(ARGS)

clean:  ## Remove the environment and all caches; the data in var/ stay.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is never repaired, always made anew: what is in it is what the lock says.
# uv installs in seconds, but does not read pip's configuration: it is told the index that pip would
# use and to trust the machine's certificates (an office's proxy has its own). Where that does not
# do, pip installs the same file. Both check every hash, uv's own included.
$(ENVIRONMENT): requirements-dev.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo 'No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3 run' >&2; exit 1; fi
	@echo 'Making the environment in .venv'
	@rm -rf .venv
	@if "$(PYTHON)" -m venv .venv >/dev/null 2>&1; then :; \
	elif rm -rf .venv; "$(PYTHON)" -m pip --version >/dev/null 2>&1 && "$(PYTHON)" -m venv --without-pip .venv; then :; \
	else rm -rf .venv; \
		echo 'This Python can make no virtual environment. Install its venv package (Debian, Ubuntu: apt install python3-venv).' >&2; exit 1; fi
	@pip="$(BIN)/python -m pip"; $$pip --version >/dev/null 2>&1 || pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	export PIP_DISABLE_PIP_VERSION_CHECK=1; \
	awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements-dev.txt > .venv/uv.txt; \
	$$pip install --quiet --no-deps --require-hashes -r .venv/uv.txt || exit 1; \
	index=$${PIP_INDEX_URL:-$$($$pip config get global.index-url 2>/dev/null || :)}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; fi; \
	export UV_SYSTEM_CERTS=1; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt \
	|| { echo 'uv could not install; pip tries' >&2; \
		$$pip install --quiet --require-hashes -r requirements-dev.txt; }
	@touch $@
