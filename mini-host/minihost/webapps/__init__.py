"""Web apps of plugins: the page, the Flask backend, and what keeps strangers out while they are served."""
