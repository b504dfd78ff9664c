# The commands of the project; the work is done by CMake and the scripts named here.

.DEFAULT_GOAL := help
.PHONY: help deps build contract demo up down sandbox sandbox-reset sandbox-down test lint format bench bench-growth fuzz images images-test clean rolling-test fire

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install what is missing on Debian 12 (apt packages, npm packages)
	@deploy/local/deps.sh

build: deps ## Build the services and the command line (build/release)
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target \
	  enrolmentd schedulingd evaluationd parcours documents_inspector

contract: deps ## Compile the contract for the gateway: descriptors and OpenAPI (build/contract)
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent contract --workspace=clients/gateway

demo: build ## Live a whole cohort in var/demo: SEED=, PROGRAMME=, DEMO_DATABASE=sqlite|postgresql
	@deploy/local/demo.sh

up: build ## Start Redis, the three services and the gateway, http://127.0.0.1:8080/docs, data in var/
	@deploy/local/up.sh

down: ## Stop what `make up` started; the data stays
	@deploy/local/down.sh

sandbox: build ## Start a system for partners to try things against, with a key for each role
	@deploy/local/sandbox.sh

sandbox-reset: build ## Forget what happened in the sandbox, and start it again
	@deploy/local/sandbox.sh reset

sandbox-down: ## Stop the sandbox
	@deploy/local/sandbox.sh down

test: deps ## Run every check and every test; a skipped test fails
	@tests/run_all.sh

lint: deps ## Check format and contracts, and run clang-tidy on what changed
	@tests/lint.sh

format: ## Rewrite C++ sources in the project's format
	@tests/lint.sh format-fix

bench: build ## Run the measurements: ONLY= one group (read, submit, rush, growth, parts)
	@cmake --build --preset release --target benchmarks
	@tests/bench.sh $(ONLY)

bench-growth: build ## The group growth up to 10^6 applications: half an hour, 15 GB of disk
	@cmake --build --preset release --target benchmarks
	@GROWTH=full tests/bench.sh growth

fuzz: deps ## Look for inputs that break a parser: TARGET= (all), SECONDS= each (60)
	@TARGET="$(TARGET)" SECONDS_EACH="$(SECONDS)" tests/fuzz/run.sh

fire: build ## Set faults to whole systems under load: SEED= (1), RUNS= (50)
	@cmake --build --preset release --target \
	  enrolmentd_crashing schedulingd_crashing evaluationd_crashing
	@/usr/bin/python3 -B tests/faults/campaign/campaign.py build/release \
	  --seed "$(or $(SEED),1)" --runs "$(or $(RUNS),50)"

rolling-test: build ## Upgrade two replicas under load from PREVIOUS=<git revision> to this tree
	@cmake --build --preset release --target rolling_load
	@tests/rolling/run.sh "$(PREVIOUS)"

images: deps ## Build the container images (podman or docker): see deploy/images
	@deploy/images/build.sh

images-test: images ## Bring the images up with compose and live the demonstration against them
	@deploy/images/test.sh

clean: ## Remove the builds; var/ stays
	rm -rf build
