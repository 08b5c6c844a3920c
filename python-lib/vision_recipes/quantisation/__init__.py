"""A model's network made to compute in int8, calibrated on pictures, and compared with what it was made from."""
