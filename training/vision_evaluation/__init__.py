"""Measures the shipped logo models on labelled pictures, through the program itself."""
