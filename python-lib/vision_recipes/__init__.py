"""Deep learning on images: the core of the vision recipes. Knows no host."""
