# Overheard. `make` lists the targets; what each one does is in scripts/.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
# Where the binaries are: quick to build, or optimised as a whole where RELEASE is set.
RELEASE ?=
BINARIES = $(or $(CARGO_TARGET_DIR),target)/$(if $(RELEASE),release,debug)

# ONNX Runtime's official builds report use to their maker unless told not to.
export ORT_DISABLE_TELEMETRY := 1

# Extra arguments: make demo ARGS=--keep, make test ARGS="--only rust".
ARGS ?=
# Labelled pictures and texts: make evaluate-vision DATA=folder, make evaluate-text DATA=folder.
DATA ?=

.PHONY: help build demo test services-up services-down services-status check-cuda evaluate-vision evaluate-text docs fmt lint bench bench-queries bench-queries-peer clean python compilers prerequisites

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

python:
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON); install it, e.g. apt-get install python3" >&2; exit 1; }

# What builds everything but OpenSSL, whose build needs Perl as well.
compilers: python
	@$(PYTHON) scripts/prerequisites.py cargo cc c++ make

prerequisites: compilers
	@$(PYTHON) scripts/prerequisites.py perl

build: prerequisites ## Fetch ONNX Runtime and build target/debug/overheard (RELEASE=1: target/release, to install and to measure)
	@$(PYTHON) scripts/fetch.py onnxruntime
	cargo build --locked $(if $(RELEASE),--release)

demo: compilers ## Play sample posts through the whole pipeline, nothing else needed (ARGS=--keep leaves it running)
	@$(PYTHON) scripts/fetch.py onnxruntime
	@$(PYTHON) scripts/fetch.py postgres
	cargo build --locked --package overheard-demo
	@exec $(BINARIES)/overheard-demo $(ARGS)

test: prerequisites ## Run every check and test, on a real Kafka and a real Postgres
	@exec $(PYTHON) scripts/test.py $(ARGS)

services-up: python ## Start a real Kafka and a real Postgres for development
	@exec $(PYTHON) scripts/services.py up

services-down: python ## Stop them and remove their data
	@exec $(PYTHON) scripts/services.py down

services-status: python ## Say which of them runs
	@exec $(PYTHON) scripts/services.py status

check-cuda: prerequisites ## Where a GPU is: compare its scores with the processor's
	@$(PYTHON) scripts/fetch.py onnxruntime --cuda
	OVERHEARD_TEST_CUDA=1 cargo test --locked --test it -- cuda::

# Speed counts.
evaluate-vision evaluate-text: RELEASE = 1

evaluate-vision: build ## Measure the logo models on labelled pictures (DATA=folder, ARGS="--models windows --every 50")
	@test -n "$(DATA)" || { echo "say where the labelled pictures are: make evaluate-vision DATA=folder" >&2; exit 1; }
	@exec $(PYTHON) -m training.measure.pictures --data "$(DATA)" --binary $(BINARIES)/overheard $(ARGS)

evaluate-text: build ## Measure the sentiment models on labelled texts (DATA=folder, ARGS="--every 10 --examples 3")
	@test -n "$(DATA)" || { echo "say where the labelled texts are: make evaluate-text DATA=folder" >&2; exit 1; }
	@exec $(PYTHON) -m training.measure.text --data "$(DATA)" --binary $(BINARIES)/overheard $(ARGS)

docs: prerequisites ## Write the generated tables and schemas of docs/ anew
	@$(PYTHON) scripts/fetch.py onnxruntime
	OVERHEARD_UPDATE_DOCS=1 cargo test --locked --test it -- generated::

fmt: prerequisites ## Format the Rust code
	cargo fmt --all

lint: prerequisites ## Check formatting, lints, documentation and dependencies
	@exec $(PYTHON) scripts/test.py --only lint

bench: prerequisites ## Run the benchmarks
	@$(PYTHON) scripts/fetch.py onnxruntime
	cargo bench --locked $(ARGS)

bench-queries: python ## Time the documented queries and the dashboard's on a year of ten million mentions (ARGS=--keep leaves the data)
	@exec $(PYTHON) scripts/bench_queries.py $(ARGS)

bench-queries-peer: prerequisites ## Compare boolean queries with Lucene Monitor on the same posts (needs Maven and a JDK of 21)
	@exec $(PYTHON) scripts/bench_queries_peer.py $(ARGS)

clean: python ## Stop the servers; remove what was built and fetched
	@$(PYTHON) scripts/services.py down
	@$(PYTHON) scripts/bench_queries.py --down
	rm -rf target .runtime
