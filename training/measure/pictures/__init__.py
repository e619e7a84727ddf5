"""Metrics of the shipped logo models on labelled pictures, measured by running the program."""
