# `make run` shows the tool at work; `make test` proves it. Both set up what they need.
.DEFAULT_GOAL := help
PROFILE ?= xeon-cpu
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: help run test lint format golden schema bench clean

help: ## Show the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(STAMP) ## Set up and print the NixOS module of a shipped profile (PROFILE=xeon-cpu)
	@$(VENV)/bin/gen --profile $(PROFILE)

test: $(STAMP) ## Set up, install the programs that read our output, lint and test
	@sh tools/consumers.sh
	@$(MAKE) --no-print-directory lint
	$(VENV)/bin/python -m pytest

lint: $(STAMP) ## Check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(STAMP) ## Rewrite the sources in the project's style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

golden: $(STAMP) schema ## Rewrite the expected outputs after a change that means them
	$(VENV)/bin/python -m pytest tests/test_golden.py --update-golden -q

schema: $(STAMP) ## Rewrite the JSON Schema of profiles
	$(VENV)/bin/gen schema > profiles/profile.schema.json

bench: $(STAMP) ## Measure start-up and scaling
	$(VENV)/bin/python benchmarks/startup.py
	$(VENV)/bin/python benchmarks/scale.py

clean: ## Remove what the commands above have made
	rm -rf $(VENV) .tools out dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(STAMP): pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV)
	@touch $@
