"""Feature vectors on a plane: positions, clusters with names, and a page to look at the pictures."""
