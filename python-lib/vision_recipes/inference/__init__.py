"""The ways to run a network forward, on OpenVINO or Keras; devices, precision, the feature cache, saliency maps."""
