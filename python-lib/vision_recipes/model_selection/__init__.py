"""Networks and ways to use them, compared on the same held-out pictures."""
