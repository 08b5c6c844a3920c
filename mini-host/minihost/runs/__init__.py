"""Runs: one component in a process of its own, watched, logged and ended as a whole."""
