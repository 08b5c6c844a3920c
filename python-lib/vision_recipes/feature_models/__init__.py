"""Models on feature vectors and columns of a table: their search with scikit-learn, their arrays, their folder."""
