"""Web apps of plugins: the page, the Flask backend, and what keeps others out while they are served."""
