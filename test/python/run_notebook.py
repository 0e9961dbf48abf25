"""Runs a notebook with nbclient: run_notebook.py SOURCE TARGET. Fails on a cell that fails and on one that takes a minute."""

import pathlib
import sys

import nbclient
import nbformat

source, target = map(pathlib.Path, sys.argv[1:])
notebook = nbformat.read(source, as_version=4)
nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(target.parent)}}).execute()
nbformat.validate(notebook)
nbformat.write(notebook, target)
