"""Models and other files that cannot be imported: recognised by their content, with what to do instead."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from pathlib import PurePosixPath

START = 1 << 16
"""Bytes of a file's start that are looked at."""

_KERAS = "Load it in the program that made it, write model.save('model.keras') there, and import that file."
_ONNX = "Export it to ONNX in the program that made it, and import the .onnx file."
_TORCH = "Export it where its classes are known with torch.onnx.export(model, example, 'model.onnx'), and import that."
_TEACHABLE = "For Teachable Machine, choose 'Tensorflow' and 'Keras' in its export dialog; for others"
_FETCH = "Get the model's own file, and check its size."

FORMATS: dict[str, tuple[str, str]] = {
    "saved_model": (
        "a TensorFlow SavedModel",
        "Load it with the Keras 2 that made it (tf_keras.models.load_model), write model.save('model.h5') there, and "
        "import that file; or run python -m tf2onnx.convert --saved-model FOLDER --output model.onnx and import that.",
    ),
    "frozen_graph": (
        "a frozen graph of TensorFlow 1",
        "Convert it with python -m tf2onnx.convert --graphdef FILE --inputs … --outputs … --output model.onnx, and "
        "import that.",
    ),
    "checkpoint": ("part of a TensorFlow checkpoint, which has weights but no network", _KERAS),
    "tensorflow_js": (
        "a TensorFlow.js model",
        f"{_TEACHABLE}, run tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json "
        "model.h5. Import the .h5 file.",
    ),
    "tflite": (
        "a TensorFlow Lite model",
        f"{_TEACHABLE}, import the Keras model that it was made from, or run python -m tf2onnx.convert --tflite FILE "
        "--output model.onnx and import that.",
    ),
    "torch": ("a PyTorch file", _TORCH),
    "safetensors": ("a safetensors file, which has weights but no network", _TORCH),
    "scikit_learn": ("a scikit-learn model in a pickle, which could run code and is never opened", _ONNX),
    "pickle": ("a Python pickle, which could run code and is never opened", _ONNX),
    "core_ml": ("a Core ML model", "Import the Keras or ONNX model that it was made from."),
    "openvino": ("a model of OpenVINO", "Import the Keras or ONNX model that it was made from."),
    "ort": ("a model in ONNX Runtime's own format", "Import the .onnx file that it was made from."),
    "caffe": ("a Caffe model", _ONNX),
    "keras_json": ("the description of a Keras network without its weights", _KERAS),
    "hugging_face": ("the description of a Hugging Face model, not the model", _ONNX),
    "json": ("a JSON file", _FETCH),
    "numpy": ("a NumPy array file, which has no network", _KERAS),
    "picture": ("a picture, not a model", "Give the model's file; pictures are scored by vision-classify."),
    "pdf": ("a PDF document", _FETCH),
    "lfs": (
        "a pointer of Git LFS to the model, not the model",
        "Run git lfs pull in the repository, or download the file itself.",
    ),
    "html": ("a web page, saved where the model should be", "Download the file itself, not the page that shows it."),
    "unfinished": ("an unfinished download", "Download it again, to the end."),
    "archive": ("an archive", "Unpack it and name the model in it."),
    "text": ("a text file", _FETCH),
    "empty": ("empty", "Download or copy it again."),
}
"""What a file is, and the next step, by the name of its format."""

_SUFFIXES = {
    **{".pb": "frozen_graph", ".index": "checkpoint", ".tflite": "tflite", ".pt": "torch", ".pth": "torch"},
    **{".ckpt": "torch", ".safetensors": "safetensors", ".pkl": "pickle", ".pickle": "pickle", ".joblib": "pickle"},
    **{".mlmodel": "core_ml", ".mlpackage": "core_ml", ".ort": "ort", ".caffemodel": "caffe", ".prototxt": "caffe"},
    **{".crdownload": "unfinished", ".part": "unfinished", ".download": "unfinished", ".tar": "archive"},
    **{".7z": "archive", ".rar": "archive", ".xz": "archive", ".zst": "archive"},
}
_STARTS = (
    (b"version https://git-lfs", "lfs"),
    (b"\x89PNG\r\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"%PDF", "pdf"),
    (b"\x93NUMPY", "numpy"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"model_checkpoint_path:", "checkpoint"),
)
_FOLDERS = (
    (r"(.*/)?saved_model\.pb(txt)?|(.*/)?keras_metadata\.pb", "saved_model"),
    (r".*\.tflite", "tflite"),
    (r"(.*/)?model\.json|.*\.weights\.bin|(.*/)?group1-shard\d+of\d+(\.bin)?", "tensorflow_js"),
    (r".*\.data-\d{5}-of-\d{5}|(.*/)?checkpoint", "checkpoint"),
    (r"(.*/)?data\.pkl|.*\.(pt|pth)|(.*/)?pytorch_model.*\.bin", "torch"),
    (r".*\.safetensors", "safetensors"),
    (r".*\.(mlmodel|mlpackage/.*)|Data/com\.apple\.CoreML/.*", "core_ml"),
    (r".*\.ort", "ort"),
    (r".*\.xml", "openvino"),
    (r".*\.(pkl|pickle|joblib)", "pickle"),
    (r".*\.pb", "frozen_graph"),
    (r".*\.caffemodel", "caffe"),
    (r".*\.npy", "numpy"),
)
"""What the files of a folder or an archive tell of it, the surest first."""


def sentence(name: str) -> str:
    """Return "is …" and the next step for a format."""
    what, next_step = FORMATS[name]
    return f"is {what}. {next_step}"


def format_of_file(start: bytes, path: str) -> str:
    """Return the format of a file by its first bytes, and by its name where those do not tell; "" if unknown."""
    suffix = PurePosixPath(path).suffix.lower()
    known = next((name for magic, name in _STARTS if start.startswith(magic)), "")
    if not start:
        return "empty"
    if known:
        return known
    if re.search(r"(^|/)(data\.pkl|byteorder|version|\.data/serialization_id)$", first_member(start)):
        return "torch"
    if first_member(start).endswith(".npy"):
        return "numpy"
    if start[4:8] in (b"TFL3", b"ORTM"):
        return "tflite" if start[4:8] == b"TFL3" else "ort"
    if start[:2] == b"BM" and len(start) > 6 and struct.unpack("<I", start[2:6])[0] > 26 and suffix in (".bmp", ".dib"):
        return "picture"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "picture"
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return "torch" if _is_torch(start) else "scikit_learn" if b"sklearn" in start else "pickle"
    if start[8:10] == b'{"' and struct.unpack("<Q", start[:8])[0] < 1 << 27:
        return "safetensors"
    if start[:3] == b"\x08\x01\x12" and suffix != ".mlmodel":
        return "saved_model"
    if start[:1] == b"\n" and re.search(rb"\x12.(Placeholder|Const|VarHandleOp)", start[:400], re.S):
        return "frozen_graph"
    if re.search(r"\.data-\d{5}-of-\d{5}$", path):
        return "checkpoint"
    if start[257:262] == b"ustar":
        return "archive"
    return _format_of_text(start) or _SUFFIXES.get(suffix, "")


def format_of_names(names: Sequence[str]) -> str:
    """Return the format of a folder or an archive by the names of its files, without a first slash; "" if unknown."""
    for pattern, name in _FOLDERS:
        if any(re.fullmatch(pattern, entry) for entry in names):
            return name
    return ""


def first_member(start: bytes) -> str:
    """Return the name of the first file in a zip archive; "" for what is none."""
    if start[:4] != b"PK\x03\x04" or len(start) < 30:
        return ""
    (length,) = struct.unpack("<H", start[26:28])
    return start[30 : 30 + length].decode("utf-8", "replace") or "?"


def _is_torch(start: bytes) -> bool:
    return start[2:13] == b"\x8a\nl\xfc\x9cF\xf9 j\xa8P" or b"torch" in start


def _format_of_text(start: bytes) -> str:
    """Return the format of a file that is text; "" for one that is not."""
    try:
        text = start.decode("utf-8-sig", "strict" if len(start) < START else "ignore").lstrip()
    except UnicodeDecodeError:
        return ""
    head = text[:2000].lower()
    if re.search("[\0-\x08\x0e-\x1f]", text[:5000]) or not text:
        return "" if text else "text"
    if head.startswith(("<!doctype html", "<html", "<head")) or "<html" in head:
        return "html"
    if head.startswith("<?xml") or head.startswith("<net "):
        return "openvino" if "<net " in head else "text"
    return _format_of_json(text) if text[0] in "{[" else "text"


def _format_of_json(text: str) -> str:
    try:
        keys = set(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        keys = set(re.findall(r'"(\w+)"\s*:', text[:5000]))
    if keys & {"modelTopology", "weightsManifest", "tfjsVersion"}:
        return "tensorflow_js"
    if {"class_name", "config"} <= keys:
        return "keras_json"
    return "hugging_face" if keys & {"model_type", "architectures"} else "json"
