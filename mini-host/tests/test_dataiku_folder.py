"""`dataiku.Folder`: section 13.4 of the contract, sentence by sentence."""

import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from minihost.errors import DataError

FILES = {"/a.txt": b"one\ntwo\n", "/sub/b.xml": b"<x/>", "/sub/deep/c.json": b'{"k": 1}'}


@pytest.fixture
def pictures(dss):
    return dss({"pictures/": FILES}).dataiku.Folder("pictures")


@pytest.fixture
def out(dss):
    now = dss(outputs={"out/": FILES})
    return now, now.dataiku.Folder("PROJ.out")


def test_listing(pictures):
    assert pictures.list_paths_in_partition() == ["/a.txt", "/sub/b.xml", "/sub/deep/c.json"]
    assert pictures.list_paths_in_partition("") == pictures.list_paths_in_partition(None)


@pytest.mark.parametrize("path", ["a.txt", "/a.txt", "//a.txt"])
def test_paths_with_and_without_slashes(pictures, path):
    with pictures.get_download_stream(path) as stream:
        assert stream.read() == FILES["/a.txt"]


def test_streams_read_on_and_never_back(pictures):
    with pictures.get_download_stream("a.txt") as stream:
        assert stream.read(2) == b"on"
        assert stream.readline() == b"e\n"
        assert list(stream) == [b"two\n"]
        assert not stream.seekable()
        for call in (lambda: stream.seek(0), stream.tell):
            with pytest.raises(io.UnsupportedOperation):
                call()
    with pytest.raises(ValueError, match="closed"):
        stream.read()
    assert pictures.get_download_stream("a.txt").readlines() == [b"one\n", b"two\n"]


def test_pillow_reads_from_such_a_stream(out):
    Image = pytest.importorskip("PIL.Image")
    _now, folder = out
    picture = io.BytesIO()
    Image.new("RGB", (3, 2)).save(picture, "PNG")
    folder.upload_stream("p.png", picture.getvalue())
    with folder.get_download_stream("p.png") as stream:
        assert Image.open(stream).size == (3, 2)


def test_a_missing_file_raises(pictures):
    with pytest.raises(FileNotFoundError):
        pictures.get_download_stream("nothing")


class TestDetails:
    def test_of_a_file(self, pictures):
        details = pictures.get_path_details("sub//b.xml")
        assert details["exists"] and not details["directory"]
        assert (details["fullPath"], details["name"], details["size"]) == ("/sub/b.xml", "b.xml", 4)
        assert details["pathElts"] == ["", "sub", "b.xml"]
        assert details["mimeType"] == "application/xml"
        assert details["lastModified"] > 1_000_000_000_000

    @pytest.mark.parametrize("path", ["", "/"])
    def test_of_the_root(self, pictures, path):
        details = pictures.get_path_details(path)
        assert (details["exists"], details["directory"], details["fullPath"]) == (True, True, "/")
        assert [(child["name"], child["directory"]) for child in details["children"]] == [
            ("a.txt", False),
            ("sub", True),
        ]

    def test_of_a_folder_one_level(self, pictures):
        details = pictures.get_path_details("/sub")
        assert [child["fullPath"] for child in details["children"]] == ["/sub/b.xml", "/sub/deep"]
        assert "children" not in details["children"][1]

    def test_of_nothing(self, pictures):
        details = pictures.get_path_details("/nothing")
        assert (details["exists"], details["directory"]) == (False, False)


class TestWriting:
    @pytest.mark.parametrize(
        ("content", "wanted"),
        [
            (b"bytes", b"bytes"),
            ("té", "té".encode()),
            (bytearray(b"x"), b"x"),
            (io.BytesIO(b"file"), b"file"),
            (io.StringIO("text é"), "text é".encode()),
        ],
    )
    def test_uploads_of_all_kinds(self, out, content, wanted):
        _now, folder = out
        folder.upload_stream("/new//deep/x", content)
        assert folder.get_download_stream("/new/deep/x").read() == wanted

    def test_streams_are_read_from_where_they_stand(self, out):
        _now, folder = out
        stream = io.BytesIO(b"abcdef")
        stream.read(3)
        folder.upload_stream("x", stream)
        assert folder.get_download_stream("x").read() == b"def"

    def test_other_ways(self, out, tmp_path):
        _now, folder = out
        (tmp_path / "local").write_bytes(b"l")
        folder.upload_file("f", tmp_path / "local")
        folder.upload_data("d", b"data")
        folder.write_json("j", {"a": [1]})
        with folder.get_writer("w") as writer:
            writer.write(b"bytes ")
            writer.write("and text")
            writer.flush()
        assert folder.read_json("j") == {"a": [1]}
        contents = [folder.get_download_stream(path).read() for path in "fdw"]
        assert contents == [b"l", b"data", b"bytes and text"]

    def test_a_writer_that_fails_writes_nothing(self, out):
        _now, folder = out
        with pytest.raises(RuntimeError), folder.get_writer("a.txt") as writer:
            writer.write("half")
            raise RuntimeError
        assert folder.get_download_stream("a.txt").read() == FILES["/a.txt"]

    def test_deleting(self, out):
        _now, folder = out
        folder.delete_path("/sub/deep")
        folder.delete_path("a.txt")
        folder.delete_path("nothing")
        assert folder.list_paths_in_partition() == ["/sub/b.xml"]
        folder.clear_path("sub/b.xml")
        assert folder.list_paths_in_partition() == []

    def test_clearing(self, out):
        _now, folder = out
        folder.clear()
        assert folder.list_paths_in_partition() == []
        assert folder.get_path_details("/")["exists"]
        folder.upload_data("x", b"")
        folder.clear_partition("")
        assert folder.list_paths_in_partition() == []

    def test_inputs_are_not_written_to(self, pictures):
        for write in (lambda: pictures.upload_data("x", b""), pictures.clear, lambda: pictures.delete_path("a.txt")):
            with pytest.raises(DataError, match="is an input of this recipe"):
                write()

    def test_the_root_is_no_file(self, out):
        with pytest.raises(DataError, match="a file needs a name"):
            out[1].upload_data("/", b"")

    def test_threads(self, out):
        _now, folder = out
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: folder.upload_data(f"t/{number}", str(number).encode()), range(64)))
            read = list(pool.map(lambda number: folder.get_download_stream(f"t/{number}").read(), range(64)))
        assert read == [str(number).encode() for number in range(64)]


class TestPaths:
    def test_local_folders_have_a_path(self, out):
        now, folder = out
        assert folder.get_path() == str(now.root / "out")
        assert folder.file_path("/sub/b.xml") == str(now.root / "out" / "sub" / "b.xml")

    def test_paths_are_refused_on_demand(self, dss):
        folder = dss({"pictures/": FILES}, streams_only=True).dataiku.Folder("pictures")
        for call in (folder.get_path, lambda: folder.file_path("a.txt")):
            with pytest.raises(DataError, match="--streams-only"):
                call()
        assert "path" not in folder.get_info()
        assert folder.get_download_stream("a.txt").read() == FILES["/a.txt"]


def test_names_and_info(pictures):
    assert (pictures.get_id(), pictures.get_name()) == ("pictures", "pictures")
    assert (pictures.full_name, pictures.short_name, pictures.project_key) == ("PROJ.pictures", "pictures", "PROJ")
    info = pictures.get_info()
    assert (info["id"], info["projectKey"], info["name"], info["type"]) == (
        "pictures",
        "PROJ",
        "pictures",
        "Filesystem",
    )
    assert os.path.isdir(info["path"])
    assert {"directoryBasedPartitioning", "accessInfo"} <= set(info)
    assert not pictures.read_partitions
    assert pictures.list_partitions() == ["NP"]
    assert not pictures.is_partitioning_directory_based()


def test_lookup_with_a_project_key(dss):
    now = dss({"pictures/": FILES})
    assert now.dataiku.Folder("pictures", project_key="PROJ").get_id() == "pictures"
    with pytest.raises(DataError, match="There is no folder 'x'"):
        now.dataiku.Folder("x")


def test_strangers_are_refused(dss):
    now = dss({"pictures/": FILES}, others={"other/": {}})
    with pytest.raises(DataError, match="neither an input nor an output"):
        now.dataiku.Folder("other")
    now.dataiku.Folder("other", ignore_flow=True).upload_data("x", b"1")
    assert now.dataiku.Folder("other", ignore_flow=True).list_paths_in_partition() == ["/x"]


def test_partitions_are_sub_folders(dss):
    now = dss({"p/": {"/2024/a": b"", "/2025/b": b"", "/2025/sub/c": b""}})
    now.job.inputs[0].options["partitioning"] = {"dimensions": [{"name": "year", "type": "time"}]}
    now.job.inputs[0].partitions = ["2025"]
    folder = now.dataiku.Folder("p")
    assert folder.read_partitions == ["2025"]
    assert folder.list_paths_in_partition("2025") == ["/2025/b", "/2025/sub/c"]
    assert folder.list_partitions() == ["2024", "2025"]
    assert folder.get_partition_info("2024") == {"partition": "2024", "paths": ["/2024/a"]}


def test_names_that_are_not_text(dss):
    now = dss({"odd/": {}})
    with open(os.path.join(os.fsencode(now.root), b"odd", b"bad\xff\nname"), "wb") as stream:
        stream.write(b"content")
    folder = now.dataiku.Folder("odd")
    (path,) = folder.list_paths_in_partition()
    assert folder.get_download_stream(path).read() == b"content"
    assert folder.get_path_details(path)["size"] == 7
