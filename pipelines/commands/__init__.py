"""The commands, a module for each part of the flow; `pipelines/cli.py` puts them in order."""
