"""The short script beside an exported network: it labels photos with the network and needs nothing of ours.

It reads the values of extra columns as `dataset.column_encoding` does.
"""

from __future__ import annotations

from dataclasses import dataclass

PICTURES, EXTRA, PROBABILITIES = "pictures", "extra", "probabilities"

_OPENING = '''"""Label photos: python classify.py PHOTO ...{usage}    ({needs})"""
import {modules}
from PIL import Image, ImageOps

here = pathlib.Path(__file__).resolve().parent
about = json.loads((here / "about.json").read_text("utf-8"))
{opened}
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

_NETWORK_OF_A_SERVER = """server = os.environ.get("SERVER", "http://localhost:8000").rstrip("/")


def network(inputs):  # Open Inference Protocol: a description in JSON, then the arrays as they lie in memory
    kinds = {"uint8": "UINT8", "float32": "FP32"}
    tensors = [
        {
            "name": name,
            "shape": array.shape,
            "datatype": kinds[str(array.dtype)],
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in inputs.items()
    ]
    header = json.dumps({"inputs": tensors}).encode()
    body = header + b"".join(array.tobytes() for array in inputs.values())
    request = urllib.request.Request(f"{server}/v2/models/{about['model']}/infer", body)
    request.add_header("Content-Type", "application/octet-stream")
    request.add_header("Inference-Header-Content-Length", str(len(header)))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            (output,) = json.load(answer)["outputs"]
    except urllib.error.HTTPError as err:
        sys.exit(f"{server}: {err}. {err.read(500).decode(errors='replace')}")
    except OSError as err:
        sys.exit(f"{server}: {err}. Start the model server, or set SERVER to its address.")
    return [numpy.array(output["data"]).reshape(output["shape"])]

"""


@dataclass(frozen=True)
class _Runtime:
    """What computes the network of a format, and how the script uses it; `needs` is for people.

    `modules` are of Python itself, `package` is the runtime's, empty for a server.
    """

    modules: tuple[str, ...]
    package: str
    needs: str
    opened: str
    scored: str


_RUNTIMES = {
    "onnx": _Runtime(
        (),
        "onnxruntime",
        "needs onnxruntime, pillow and numpy",
        'network = onnxruntime.InferenceSession(here / "model.onnx")',
        "network.run(None, {inputs})[0]",
    ),
    "openvino": _Runtime(
        (),
        "openvino",
        "needs openvino, pillow and numpy",
        'network = openvino.compile_model(here / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
        "network({inputs})[0]",
    ),
    "model_server": _Runtime(
        ("os", "urllib.request"),
        "",
        "needs pillow and numpy; SERVER is the address of the server",
        _NETWORK_OF_A_SERVER,
        "network({inputs})[0]",
    ),
}


def script(kind: str, *, columns: bool) -> str:
    """Return the script for a format: "onnx", "openvino" or "model_server".

    `columns` is whether the model takes extra columns.
    """
    inputs = '"pictures": numpy.asarray(photo)[None]' + (
        ', "extra": numpy.array([extra], "float32")' if columns else ""
    )
    runtime = _RUNTIMES[kind]
    modules = sorted({"json", "pathlib", "sys", *runtime.modules, *(("math", "re") if columns else ())})
    opening = _OPENING.format(
        usage=" [COLUMN=VALUE ...]" if columns else "",
        modules=", ".join([*modules, "numpy", *filter(None, [runtime.package])]),
        needs=runtime.needs,
        opened=runtime.opened,
    )
    scored = runtime.scored.replace("{inputs}", "{" + inputs + "}")
    return opening + (_COLUMNS if columns else "photos = sys.argv[1:]\n") + _PHOTOS.format(scored=scored)
