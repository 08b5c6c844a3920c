"""Evaluation: predictions compared with true labels, metrics, the report, training curves."""
