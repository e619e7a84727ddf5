"""Shared by all trainings: command line, stages, weight averaging, checkpoints, and the log of metrics."""
