"""What a file is to a browser: by its ending alone, so that no content is ever taken for a page of ours."""

from __future__ import annotations

PICTURES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg", "jfif": "image/jpeg", "png": "image/png",
    "gif": "image/gif", "webp": "image/webp", "bmp": "image/bmp", "avif": "image/avif", "ico": "image/x-icon",
}  # fmt: skip
"""Endings of pictures that browsers show -> their types. No SVG: it is a document with scripts."""

OTHER_PICTURES = {
    "tif",
    "tiff",
    "svg",
    "heic",
    "heif",
    "jp2",
    "jxl",
    "ppm",
    "pgm",
    "tga",
    "psd",
    "raw",
    "dng",
    "nef",
    "cr2",
}
"""Endings of pictures that browsers do not show, or not safely."""

FRAMED = {
    **PICTURES, "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript",
    "mjs": "text/javascript", "json": "application/json", "csv": "text/plain", "txt": "text/plain",
    "md": "text/plain", "svg": "image/svg+xml", "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf",
    "otf": "font/otf", "mp4": "video/mp4", "webm": "video/webm", "mp3": "audio/mpeg", "wav": "audio/wav",
}  # fmt: skip
"""Endings of files that a report may be made of -> their types."""

_PICTURES = {*PICTURES, *OTHER_PICTURES}

TEXTS = {
    "txt", "md", "csv", "tsv", "json", "jsonl", "yaml", "yml", "log", "py", "js", "css", "xml", "ini",
    "toml", "cfg", "html",
}  # fmt: skip
"""Endings of files whose beginning can be read as text."""

LARGEST_PICTURE = 64 << 20
"""Bytes of a picture that is shown without being asked for."""


def ending(path: str) -> str:
    """Return the ending of a file in lower case, without the dot."""
    _, dot, found = path.rpartition(".")
    return found.lower() if dot and "/" not in found else ""


def is_picture(path: str) -> bool:
    """Whether a file is a picture, shown by browsers or not."""
    return ending(path) in _PICTURES


def is_page(path: str) -> bool:
    """Whether a file is an HTML page."""
    return path[-5:].lower().endswith((".html", ".htm"))


def size_text(size: float) -> str:
    """Return a size as people read it, such as `3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
