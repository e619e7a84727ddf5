"""Feeling towards a target: the sentiment model learns to be asked about a brand, from the weights of the distilled one."""
