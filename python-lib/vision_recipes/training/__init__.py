"""Labels and splits, cached features, augmentation, fitting of heads and fine-tuning."""
