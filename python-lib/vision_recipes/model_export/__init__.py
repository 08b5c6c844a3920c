"""Models written for programs that know nothing of this project: ONNX and OpenVINO files."""
