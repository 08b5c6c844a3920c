"""Pictures that are alike: nearest neighbours by their features, and groups of copies."""
