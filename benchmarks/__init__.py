"""Benchmarks of the suite itself: what its load side and its server cost beside the least that is possible."""
