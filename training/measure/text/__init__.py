"""Measures the shipped sentiment models on labelled texts by running the program."""
