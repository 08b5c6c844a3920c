"""What is no model that can be imported is recognised by its content and says the next step, as a file and a folder."""

import io
import json
import pickle
import struct
import zipfile

import h5py
import pytest
from model_folder.small import local

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.other_formats import FORMATS
from vision_recipes.model_import.sources import find_source


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in members.items():
            archive.writestr(name.replace("__", "/").replace("_pkl", ".pkl"), value)
    return content.getvalue()


FILES = {
    "empty": (b"", "is empty. Download or copy it again"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
    "html": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is a web page"),
    "html 2": ("<HTML><head>é</head></HTML>".encode(), "is a web page"),
    "text": (b"Not Found\n", "is a text file"),
    "long text": ("é".encode() * 100_000, "is a text file"),
    "tflite": (b"\x1c\0\0\0TFL3" + b"\0" * 64, "'Tensorflow' and 'Keras' in its export dialog"),
    "tfjs": (json.dumps({"format": "layers-model", "modelTopology": {"x": 1}}).encode(), "'Tensorflow' and 'Keras'"),
    "tfjs long": (b'{"modelTopology": {"a": "' + b"x" * 100_000, "'Tensorflow' and 'Keras'"),
    "keras json": (b'{"class_name": "Sequential", "config": {}}', "without its weights"),
    "hugging face": (b'{"architectures": ["ViT"], "model_type": "vit"}', "Export it to ONNX"),
    "json": (b'{"a": 1}', "is a JSON file"),
    "saved model": (b"\x08\x01\x12\x80\x02" + b"\1" * 50, "SavedModel.*tf2onnx"),
    "frozen graph": (b"\n\x20\n\x05input\x12\x0bPlaceholder" + b"\0" * 40, "frozen graph.*tf2onnx"),
    "torch": (zipped(net__data_pkl=b"x"), "PyTorch file.*torch.onnx.export"),
    "torch legacy": (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), "PyTorch file"),
    "pickle": (pickle.dumps({"a": [1]}), "never opened"),
    "scikit-learn": (b"\x80\x04\x95\x1f\0\0\0\0\0\0\0\x8c\x0fsklearn.svm", "scikit-learn"),
    "safetensors": (struct.pack("<Q", 30) + b'{"w":{"dtype":"F32","shape"', "safetensors file"),
    "openvino": (b'<?xml version="1.0"?>\n<net name="a" version="11">', "a model of OpenVINO"),
    "onnx runtime": (b"\x10\0\0\0ORTM" + b"\1" * 20, "ONNX Runtime"),
    "numpy": (b"\x93NUMPY\1\0", "NumPy"),
    "jpeg": (b"\xff\xd8\xff\xe0" + b"\1" * 20, "is a picture"),
    "webp": (b"RIFF\x10\0\0\0WEBPVP8 ", "is a picture"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "gzip": (b"\x1f\x8b\x08\0aaa", "is an archive. Unpack it"),
    "checkpoint": (b'model_checkpoint_path: "model.ckpt-7"\n', "checkpoint"),
}


def find(tmp_path, **given):
    return find_source(ImportSettings.from_params({"output_managed_folder": "x"} | given), None)


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.onnx", "model"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_recognised_by_its_content_whatever_its_name(tmp_path, kind, name):
    content, message = FILES[kind]
    (tmp_path / name).write_bytes(content)
    if kind == "torch" and name == "model.keras":
        return  # an archive that is called .keras is read as one
    with pytest.raises(ModelFolderError, match=f"(?s)^{name} in .*{message}"):
        find(tmp_path, model_file=str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *(("net.pt", "PyTorch"), ("net.pth", "PyTorch"), ("m.mlmodel", "Core ML"), ("a.caffemodel", "Caffe")),
        *(("v.data-00000-of-00001", "checkpoint"), ("v.index", "checkpoint"), ("m.keras.crdownload", "unfinished")),
    ],
)
def test_a_file_whose_content_says_nothing_is_known_by_its_name(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"\x01\x02\x03" * 50)
    with pytest.raises(ModelFolderError, match=message):
        find(tmp_path, model_file=str(tmp_path / name))


FOLDERS = {
    "SavedModel": ["saved_model.pb", "keras_metadata.pb", "variables/variables.index", "assets/x"],
    "SavedModel inside": ["1/saved_model.pb", "1/variables/variables.data-00000-of-00001"],
    "TensorFlow.js": ["model.json", "weights.bin", "metadata.json"],
    "TensorFlow.js shards": ["model.json", "group1-shard1of2.bin", "group1-shard2of2.bin"],
    "TensorFlow Lite": ["model_unquant.tflite", "labels.txt"],
    "checkpoint": ["checkpoint", "cp.ckpt.index", "cp.ckpt.data-00000-of-00001"],
    "PyTorch": ["pytorch_model.bin", "README.md"],
    "PyTorch unpacked": ["archive/data.pkl", "archive/data/0"],
    "safetensors": ["model.safetensors", "README.md"],
    "Core ML": ["Manifest.json", "Data/com.apple.CoreML/model.mlmodel"],
    "OpenVINO": ["model.xml", "model.bin"],
    "pickle": ["model.joblib"],
}


@pytest.mark.parametrize("how", ["model_file", "model_source_folder", "folder in a folder", "archive"])
@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_is_recognised_by_the_names_in_it(tmp_path, kind, how):
    for name in FOLDERS[kind]:
        path = tmp_path / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\1\2")
    settings = {"output_managed_folder": "x", "model_source_folder": "y"}
    with pytest.raises(ModelFolderError, match=f"'?.*export.* is .*{kind.split(' ')[0]}"):
        if how == "model_file":
            find(tmp_path, model_file=str(tmp_path / "export"))
        elif how == "model_source_folder":
            find_source(ImportSettings.from_params(settings), local(tmp_path / "export"))
        elif how == "folder in a folder":
            find_source(ImportSettings.from_params(settings | {"model_file": "export"}), local(tmp_path))
        else:
            with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
                for name in FOLDERS[kind]:
                    archive.writestr(name, b"\1\2")
            find(tmp_path, model_file=str(tmp_path / "export.zip"))


def test_a_folder_with_nothing_known_says_what_it_has(tmp_path):
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(SettingsError, match="no models of the kinds that are read .notes.md.. Name a .keras, .h5 or"):
        find(tmp_path, model_file=str(tmp_path))


@pytest.mark.parametrize("prefix", ["", "converted_keras/"])
def test_an_archive_with_one_model_is_read_with_its_labels(tmp_path, prefix):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["x"] = 1
    with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "m.h5", f"{prefix}keras_model.h5")
        archive.writestr(f"{prefix}labels.txt", "0 A\n1 B\n")
        archive.writestr(f"__MACOSX/{prefix}._labels.txt", "x")
    found = find(tmp_path, model_file=str(tmp_path / "converted_keras.zip"))
    assert (found.model, found.labels, found.teachable) == ("/keras_model.h5", "/labels.txt", True)
    assert found.read_labels() == b"0 A\n1 B\n"
    assert found.copy(found.model, tmp_path).read_bytes() == (tmp_path / "m.h5").read_bytes()
    assert "converted_keras.zip" in found.where


def test_archives_that_are_traps_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("keras_model.h5", b"\0" * (200 << 20))
    with pytest.raises(ModelFolderError, match="unpacks to 209,715,200 bytes"):
        find(tmp_path, model_file=str(tmp_path / "bomb.zip"))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("model.h5", b"\0" * 1000)
    with pytest.raises(ModelFolderError, match="other than deflate"):
        find(tmp_path, model_file=str(tmp_path / "packed.zip"))
    (tmp_path / "cut.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:1000])
    with pytest.raises(ModelFolderError, match="cut off or damaged"):
        find(tmp_path, model_file=str(tmp_path / "cut.zip"))
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.h5", b"x")
        archive.writestr("b.h5", b"x")
    with pytest.raises(ModelFolderError, match="an archive of a.h5, b.h5. Unpack it, and name"):
        find(tmp_path, model_file=str(tmp_path / "two.zip"))


def test_every_format_says_what_to_do_next():
    for what, next_step in FORMATS.values():
        assert what and next_step.endswith(".")
