"""Networks with published weights: downloaded, verified, made into model folders."""
