"""Labelled pictures as a dataset: labels, tables, splits, groups, near-duplicates."""
