"""The ways to run a network forward: one interface, on OpenVINO or Keras; the choice of devices and precision."""
