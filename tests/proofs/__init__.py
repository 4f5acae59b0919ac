"""Proofs that the instrument tells the truth: scripts that take minutes, and want a quiet machine."""
