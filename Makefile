# make demo   what it does, in under two minutes: no TensorFlow, nothing outside .venv
# make test   everything: installs all that the tests need and runs them all
# make check  style, types, layers
# make fuzz   looks for files that readers, planners and rules cannot bear: FUZZ_SECONDS each

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet

FUZZ_SECONDS ?= 600

.PHONY: demo test check fuzz clean

demo: $(VENV)/.demo
	@$(BIN)/python examples/demo.py

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(VENV)/.test
	@for target in tflite-read onnx-read tflite-use onnx-use tflite-lint onnx-lint; do \
	  $(BIN)/python tests/fuzz/fuzz.py $$target .fuzz/$$target \
	    -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 || exit 1; \
	done

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[litert]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e '.[dev,tflite-runtime]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .edgebudget_cache .pytest_cache .mypy_cache .ruff_cache
