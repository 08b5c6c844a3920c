"""The short script beside an exported network: it labels photos with the network and needs nothing of ours."""

from __future__ import annotations

PICTURES, EXTRA, PROBABILITIES = "pictures", "extra", "probabilities"

_OPENING = '''"""Label photos: python classify.py PHOTO{usage}    (needs {package}, pillow and numpy)"""
import json, pathlib, sys, numpy, {package}
from PIL import Image, ImageOps

here = pathlib.Path(__file__).resolve().parent
about = json.loads((here / "about.json").read_text("utf-8"))
network = {opened}
fit = {{"squash": Image.Image.resize, "crop": ImageOps.fit, "pad": ImageOps.pad}}[about["resize"]]
centre = {{"bleed": (1 - about["crop_fraction"]) / 2}} if about["resize"] == "crop" else {{}}
'''

_COLUMNS = """

def encode(column, cell):  # a number is standardised, a category is one 1 among 0s; what is missing is all 0s
    if column["kind"] == "category":
        return [float(cell == category) for category in column["categories"]]
    return [min(100, max(-100, (float(cell) - column["mean"]) / column["scale"])) if cell else 0.0]


cells = dict(word.split("=", 1) for word in sys.argv[2:])
extra = [value for column in about["columns"] for value in encode(column, cells.get(column["name"]))]
"""

_PHOTOS = """for path in sys.argv[1:{last}]:
    photo = Image.open(path)
    photo.draft(None, (about["width"], about["height"]))
    photo = ImageOps.exif_transpose(photo).convert("RGBA")
    photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
    photo = fit(photo, (about["width"], about["height"]), Image.Resampling.BILINEAR, **centre)
    scores = {scored}[0]
    print(path, about["labels"][scores.argmax()], f"{{scores.max():.3f}}", sep="\\t")
"""

_PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino"}
_OPENED = {
    "onnx": 'onnxruntime.InferenceSession(here / "model.onnx")',
    "openvino": 'openvino.compile_model(here / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
}
_SCORED = {"onnx": "network.run(None, {inputs})[0]", "openvino": "network({inputs})[0]"}


def script(kind: str, *, columns: bool) -> str:
    """Return the script for a format, "onnx" or "openvino"; `columns` is whether the model takes extra columns."""
    inputs = '"pictures": numpy.asarray(photo)[None]' + (
        ', "extra": numpy.array([extra], "float32")' if columns else ""
    )
    opening = _OPENING.format(
        usage=" [COLUMN=VALUE ...]" if columns else " ...", package=_PACKAGES[kind], opened=_OPENED[kind]
    )
    scored = _SCORED[kind].replace("{inputs}", "{" + inputs + "}")
    return opening + (_COLUMNS if columns else "") + _PHOTOS.format(last="2" if columns else "", scored=scored)
