"""A small push server: one feed, five ways to follow it. It knows nothing of benchmarks."""
