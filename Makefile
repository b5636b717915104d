# `make up` is all a visitor needs; `make test check` is what a change must pass.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python compiles what pip left uncompiled, and must keep it: each start would compile anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test check packs bench-wheel bench-review bench-train clean

up: .venv/runs
	@exec $(BIN)/python manage.py up

test: .venv/develops
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/develops
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --check --dry-run

packs: .venv/develops
	$(BIN)/python -m paperdolls.build

bench-wheel: .venv/develops
	$(BIN)/python -m bench.wheel

bench-review: .venv/develops
	$(BIN)/python -m bench.review --json bench/review.json

bench-train: .venv/develops
	$(BIN)/python -m bench.training_step

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

# Python's own pip may be years old, and half a minute slower at choosing versions.
.venv/bin/python:
	$(PYTHON) -m venv .venv
	$@ -m pip install --quiet --constraint constraints.txt --upgrade pip

.venv/runs: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable .
	@touch $@

.venv/develops: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/runs
