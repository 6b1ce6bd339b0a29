# `make demo` paints the sample clip; `make test` runs the whole test suite. Both set up what they need.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test clean

demo: $(VENV)/installed
	$(BIN)/livestyle video livestyle/media/sample.mp4 demo.mp4 --style mosaic --overwrite
	@echo "painted: $(CURDIR)/demo.mp4"

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

# The stamps are older than pyproject.toml when its dependencies may have changed: only then pip runs again.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@$(libraries)
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@$(libraries)
	@touch $@ $(VENV)/installed

# Debian splits ensurepip off Python: where it is missing, the pip that is there installs one into the environment.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) >/dev/null || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --quiet --python $@ install pip; }

# OpenCV's windows need two libraries of the system, which a bare Linux lacks.
libraries = $(BIN)/python -c 'import cv2' 2>/dev/null || { \
  command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get -qq update && \
  apt-get -qq install -y libgl1 libglib2.0-0 libxcb1 >/dev/null; } || { \
  echo 'OpenCV needs libGL and GLib: sudo apt install libgl1 libglib2.0-0'; exit 1; }

clean:
	rm -rf $(VENV) demo.mp4
