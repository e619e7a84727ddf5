"""Behavioural tests of a sentiment model, by capability, on sentences generated from templates."""
