"""What came out, for people and for checks: predictions held against the truth, metrics."""
