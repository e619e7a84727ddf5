"""Metrics of the shipped models, measured by running the program."""
