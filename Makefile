# `make run` shows the tool at work, `make test` proves it. Both set up what they need.
.DEFAULT_GOAL := help
.PHONY: help run test engines setup format golden generate bench clean

help: ## Show the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

run: ## Set up what running needs, then print a NixOS module (PROFILE=xeon-cpu)
	@sh tools/run.sh

test: ## Set up, install the programs that read our output, lint and test
	@sh tools/test.sh

engines: setup ## Ask the real servers and libraries that CI does not have
	MUTATED_PROFILES=2000 .venv/bin/python -m pytest -q tests/profiles/test_json_schema.py
	@sh tools/engines.sh

setup: ## Make the virtual environment
	@sh tools/venv.sh .venv

format: setup ## Rewrite the sources in the project's style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

golden: generate ## Rewrite expected outputs and generated files after a change that means them
	.venv/bin/python -m pytest -q tests/test_golden.py --update-golden

generate: setup ## Rewrite the generated files alone: Catalogue, schemas, pages, plans
	.venv/bin/python -m tools.generate

bench: setup ## Measure start-up and scaling
	.venv/bin/python benchmarks/startup.py
	.venv/bin/python benchmarks/scale.py
	.venv/bin/python benchmarks/check.py
	.venv/bin/python benchmarks/nix_eval.py
	.venv/bin/python -m benchmarks.nix_fleet

clean: ## Remove what the commands above have made
	rm -rf .venv .tools out dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache
