# What people do with this repository. `make` alone lists it. Works with GNU make 3.81 and later.

.DEFAULT_GOAL := help

# The steps of `make check`, in order. Each prints `ok: <step>` when it is through.
CHECKS := types lint architecture generated chart workflows audit

# Which tests `make test` runs: all, or those whose path matches, as in `make test TESTS=test/support`.
TESTS :=

.PHONY: help install run examples test chaos bench bench-migrations cluster-test connect-test deploy-rehearsal check list-checks check-terraform build image format clean $(CHECKS:%=check-%)

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

install: node_modules/.package-lock.json ## Install the libraries, when the lock file changed

node_modules/.package-lock.json: package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); if (a < 20 || (a == 20 && b < 19)) { console.error("Gatehouse needs Node 20.19 or later; this is " + process.versions.node + "."); process.exit(1) }'
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

run: install ## Start on this machine with demo data; needs nothing but Node
	node --import tsx provider/bin/cli.ts dev

examples: install ## Start two services behind nginx and API Gateway, and show calls; ONCE=1 ends after them
	node --import tsx examples/start/main.ts $(if $(ONCE),--once)

test: install ## Run all tests against real Postgres and Redis, found or started by the run
	@mkdir -p artifacts
	npm test --silent -- --json --outputFile=artifacts/tests.json $(TESTS)

chaos: install ## Break processes, Redis and Postgres for two minutes, and see that nobody loses what was promised
	@mkdir -p artifacts
	CHAOS_SECONDS=$(or $(SECONDS),120) CHAOS_CLIENTS=$(or $(CLIENTS),50) npm test --silent -- test/chaos

bench: install ## Measure speed beside what the machine can do, for ten minutes; docs/speed.md says how to read it
	node --import tsx test/bench/main.ts

bench-migrations: install ## Apply each new migration to tables with 5 million rows, and see that no caller waits long
	node --import tsx test/bench/migrations.ts

cluster-test: install ## Install in a real Kubernetes, upgrade under traffic, and break what can break
	bash test/cluster/run.sh

connect-test: install ## Run the pages of docs/connect with the real clients: all, or CLIENTS="passport oidc-client-ts"
	@mkdir -p artifacts
	GATEHOUSE_CONNECT=true npm test --silent -- --json --outputFile=artifacts/connect-tests.json $(or $(CLIENTS:%=test/connect/%.test.ts),test/connect)

deploy-rehearsal: install ## Follow docs/deploy.md against emulators, up to a sign-in through API Gateway and a protected call
	bash test/cluster/run.sh rehearsal

check: $(CHECKS:%=check-%) ## Check types, style, architecture, generated files, the chart, the workflows and known vulnerabilities

list-checks:
	@echo $(CHECKS)

check-types: install
	npm run --silent types
	@echo 'ok: types'

check-lint: install
	npm run --silent lint
	@echo 'ok: lint'

check-architecture: install
	GATEHOUSE_TEST_SERVERS=none npm test --silent -- --verbose=false test/architecture.test.ts
	@echo 'ok: architecture'

check-generated: install
	npm run --silent generate -- --check
	@echo 'ok: generated'

check-chart: install
	bash .ci/check-chart.sh
	@echo 'ok: chart'

check-workflows: install
	bash .ci/check-workflows.sh
	@echo 'ok: workflows'

check-audit: install
	node .ci/audit.js
	@echo 'ok: audit'

check-terraform: ## Check the Terraform files, as far as terraform, tflint and checkov are here
	terraform/check.sh

build: install ## Compile for production into build/
	npm run --silent build

image: ## Build the container image with docker, podman or buildah; docs/image.md says what is in it
	.ci/image.sh $(IMAGE_ARGS)

format: install ## Format every file
	npm run --silent format

clean: ## Remove what was built or reported
	rm -rf build coverage artifacts
