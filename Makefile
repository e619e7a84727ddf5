# Overheard. `make` lists the targets; what each one does is in scripts/.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BINARY := target/release/overheard

# ONNX Runtime's official builds report use to their maker unless told not to.
export ORT_DISABLE_TELEMETRY := 1

# Extra arguments: make demo ARGS=--keep, make test ARGS="--only rust".
ARGS ?=
# Labelled pictures and texts: make evaluate-vision DATA=folder, make evaluate-text DATA=folder.
DATA ?=

.PHONY: help build demo test services-up services-down services-status check-cuda evaluate-vision evaluate-text fmt lint bench clean python prerequisites

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

python:
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON); install it, e.g. apt-get install python3" >&2; exit 1; }

prerequisites: python
	@$(PYTHON) scripts/prerequisites.py cargo cc c++ make perl

build: prerequisites ## Fetch ONNX Runtime and build target/release/overheard
	@$(PYTHON) scripts/fetch.py onnxruntime
	cargo build --release --locked

demo: build ## Play sample posts through the whole pipeline, nothing else needed (ARGS=--keep leaves it running)
	@$(PYTHON) scripts/fetch.py postgres
	@exec $(BINARY) demo $(ARGS)

test: prerequisites ## Run every check and test, on a real Kafka and a real Postgres
	@exec $(PYTHON) scripts/test.py $(ARGS)

services-up: python ## Start a real Kafka and a real Postgres for development
	@exec $(PYTHON) scripts/services.py up

services-down: python ## Stop them and remove their data
	@exec $(PYTHON) scripts/services.py down

services-status: python ## Say what of them runs
	@exec $(PYTHON) scripts/services.py status

check-cuda: prerequisites ## Where a GPU is: compare its scores with the processor's
	@$(PYTHON) scripts/fetch.py onnxruntime --cuda
	OVERHEARD_TEST_CUDA=1 cargo test --locked --test it -- cuda::

evaluate-vision: build ## Measure the logo models on labelled pictures (DATA=folder, ARGS="--models windows --every 50")
	@test -n "$(DATA)" || { echo "say where the labelled pictures are: make evaluate-vision DATA=folder" >&2; exit 1; }
	@exec $(PYTHON) -m training.vision_evaluation --data "$(DATA)" --binary $(BINARY) $(ARGS)

evaluate-text: build ## Measure the sentiment models on labelled texts (DATA=folder, ARGS="--every 10 --examples 3")
	@test -n "$(DATA)" || { echo "say where the labelled texts are: make evaluate-text DATA=folder" >&2; exit 1; }
	@exec $(PYTHON) -m training.text_evaluation --data "$(DATA)" --binary $(BINARY) $(ARGS)

fmt: prerequisites ## Format the Rust code
	cargo fmt

lint: prerequisites ## Check formatting, lints, documentation and dependencies
	@exec $(PYTHON) scripts/test.py --only lint

bench: prerequisites ## Run the benchmarks
	@$(PYTHON) scripts/fetch.py onnxruntime
	cargo bench --locked $(ARGS)

clean: python ## Stop the servers; remove what was built and fetched
	@$(PYTHON) scripts/services.py down
	rm -rf target .runtime
