"""Opens folders by URL, through fsspec: memory://, file://, and with its drivers installed s3://, gs://, abfs:// …"""

import fsspec

from minihost.folders.store import Facts
from minihost.hookspecs import hookimpl

CHUNK = 1 << 20


class FsspecFolder:
    """The files below a URL, as paths that begin with a slash."""

    def __init__(self, url):
        self.disk, root = fsspec.core.url_to_fs(url)
        self.root = root.rstrip("/")

    def paths(self):
        """The path of every file, sorted."""
        try:
            return sorted(path.removeprefix(self.root) for path in self.disk.find(self.root))
        except FileNotFoundError:
            return []

    def open(self, path):
        """A binary stream; raises OSError."""
        return self.disk.open(self.root + path, "rb")

    def facts(self, path):
        """Size, time and kind of what is at a path, None for nothing."""
        try:
            found = self.disk.info((self.root + path).rstrip("/"))
        except (OSError, ValueError):
            return None
        changed = next((found[key] for key in ("mtime", "created", "LastModified") if key in found), 0)
        changed = changed.timestamp() if hasattr(changed, "timestamp") else changed
        return Facts(found.get("size") or 0, changed, found["type"] == "directory")

    def children(self, path):
        """The names in one folder, sorted."""
        try:
            return sorted(item.rstrip("/").rpartition("/")[2] for item in self.disk.ls(self.root + path, detail=False))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, path, content):
        """Write one file whole from a binary stream."""
        with self.writing(path) as stream:
            while chunk := content.read(CHUNK):
                stream.write(chunk)

    def writing(self, path):
        """A binary stream to write to, for `with`."""
        self.disk.makedirs((self.root + path).rpartition("/")[0], exist_ok=True)
        return self.disk.open(self.root + path, "wb")

    def delete(self, path):
        """Delete a file, or a folder with what it holds; nothing happens when it is missing."""
        if self.disk.exists(self.root + path):
            self.disk.rm(self.root + path, recursive=True)

    def clear(self):
        """Delete everything."""
        for name in self.children("/"):
            self.delete("/" + name)


@hookimpl
def minihost_open_folder(reference):
    """Open URLs; leave paths to others."""
    return FsspecFolder(reference.path) if "://" in reference.path else None
