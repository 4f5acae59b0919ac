"""Benchmarks as they are often written, each with one mistake that is easily made.

`pushbench lies` runs them beside the right way (docs/lies.md). Each is a program of its own, which makes a bounded load on
loopback, and prints one line of JSON.
"""
