"""Measures the shipped sentiment models on labelled texts, through the program itself."""
