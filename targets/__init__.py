"""Servers beside the built-in one of `servers/`: each is its own program. They know nothing of clients and benchmarks."""
