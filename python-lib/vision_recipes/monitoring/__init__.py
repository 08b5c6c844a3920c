"""Whether new pictures are like those that a model was made with: statistics on features and predictions."""
