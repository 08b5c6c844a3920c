"""Linear probe, fine-tuning, augmentation, calibration, out-of-distribution detection, label issues."""
