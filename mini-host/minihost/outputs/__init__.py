"""Outputs of a run: written to a stage beside their place, and put there completely or not at all."""
