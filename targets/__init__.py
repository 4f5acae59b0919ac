"""Servers to measure beside the built-in one. They know nothing of benchmarks."""
