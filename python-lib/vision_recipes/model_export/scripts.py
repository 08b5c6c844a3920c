"""The short script beside an exported network: it labels photos with the network and needs nothing of ours.

It reads the values of extra columns as `dataset.column_encoding` does.
"""

from __future__ import annotations

PICTURES, EXTRA, PROBABILITIES = "pictures", "extra", "probabilities"

_OPENING = '''"""Label photos: python classify.py PHOTO ...{usage}    (needs {package}, pillow and numpy)"""
import {modules}, numpy, {package}
from PIL import Image, ImageOps

here = pathlib.Path(__file__).resolve().parent
about = json.loads((here / "about.json").read_text("utf-8"))
network = {opened}
fit = {{"squash": Image.Image.resize, "crop": ImageOps.fit, "pad": ImageOps.pad}}[about["resize"]]
centre = {{"bleed": (1 - about["crop_fraction"]) / 2}} if about["resize"] == "crop" else {{}}
'''

_COLUMNS = """

def number(text):  # true is 1, false is 0; what holds no finite number is missing
    try:
        value = {"true": 1.0, "false": 0.0}[text.lower()] if text.lower() in ("true", "false") else float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def category(text):  # 1.0 is 1, True is true
    if text.lower() in ("true", "false"):
        return text.lower()
    whole = re.fullmatch(r"(-?(?:0|[1-9][0-9]*))\\.0+", text)
    text = whole[1] if whole else text
    return "0" if text == "-0" else text


def encode(column, text):  # a number is standardised, a category is one 1 among 0s; what is missing is all 0s
    if column["kind"] == "category":
        known = [category(one.strip()) for one in column["categories"]]
        place = known.index(category(text)) if category(text) in known else None
        seen, values = place is not None, [float(place == index) for index in range(len(known))]
    else:
        value = number(text)
        seen = value is not None
        values = [min(100.0, max(-100.0, (value - column["mean"]) / column["scale"])) if seen else 0.0]
    if not seen and text.lower() not in ("", "nan", "-nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"):
        print(f"{column['name']}={text}: no {column['kind']} that the model was trained with", file=sys.stderr)
    return values


names, cells, photos = {column["name"] for column in about["columns"]}, {}, []
for word in sys.argv[1:]:
    name = next((name for name in sorted(names, key=len, reverse=True) if word.startswith(name + "=")), None)
    if name is not None:
        cells[name] = word[len(name) + 1 :].strip()
    elif "=" in word and not pathlib.Path(word).exists():
        sys.exit(f"{word}: the model has no such column; its columns are {', '.join(sorted(names))}")
    else:
        photos.append(word)
extra = [value for column in about["columns"] for value in encode(column, cells.get(column["name"], ""))]
"""

_PHOTOS = """if not photos:
    sys.exit(__doc__)
for path in photos:
    if not pathlib.Path(path).is_file():
        sys.exit(f"{{path}}: no such file. {{__doc__}}")
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
        usage=" [COLUMN=VALUE ...]" if columns else "",
        modules="json, math, pathlib, re, sys" if columns else "json, pathlib, sys",
        package=_PACKAGES[kind],
        opened=_OPENED[kind],
    )
    scored = _SCORED[kind].replace("{inputs}", "{" + inputs + "}")
    return opening + (_COLUMNS if columns else "photos = sys.argv[1:]\n") + _PHOTOS.format(scored=scored)
