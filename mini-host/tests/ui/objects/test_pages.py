"""Pages of folders and datasets: what they show, of ordinary objects and of hostile ones."""

import os
import re
import time

import pytest

from minihost.ui.objects.listing import Walk

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 200
NASTY = [
    "<img src=x onerror=alert(1)>.jpg",
    "a\u202egpj.jpg",
    "new\nline.jpg",
    "q\"'&amp;.jpg",
    "#a?b=1&c.jpg",
    "%2e%2e%2f.jpg",
    "x" * 240 + ".jpg",
]


@pytest.fixture
def project(tmp_path):
    for name in ("egg/1.jpg", "egg/2.jpg", "ball/3.jpg", "ball/4.tif", "ball/note.txt"):
        (tmp_path / "pics" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pics" / name).write_bytes(JPEG)
    rows = [
        "/egg/1.jpg,egg,egg,0.9,0,",
        "/egg/2.jpg,ball,egg,0.6,0,",
        "/ball/3.jpg,,,,1,not a picture",
        "/gone.jpg,ball,ball,0.5,0,",
    ]
    (tmp_path / "scored.csv").write_text("images,label,truth,probability,error,reason\n" + "\n".join(rows) + "\n")
    (tmp_path / "people.csv").write_text('name,note\nada,\nbob,"<script>alert(1)</script>"\n')
    (tmp_path / "flow.yaml").write_text(
        "folders: {pics: pics, gone: nowhere, afile: people.csv, out: pics/egg}\n"
        "datasets: {scored: scored.csv, people: people.csv, missing: missing.csv}\n"
        "steps: [{name: use, recipe: some-recipe, inputs: {a: pics}, outputs: {b: scored}}]\n"
    )
    return tmp_path


def labelled(client, address):
    """The page, once its labels have been read."""
    for _ in range(100):
        text = client.get(address).text
        if "Reading the labels" not in text:
            return text
        time.sleep(0.02)
    raise AssertionError("the labels were never read")


def names(text):
    return re.findall(r'data-name="([^"]*)"', text)


def test_a_folder_shows_its_pictures_with_labels_from_a_dataset(project, client_of):
    text = labelled(client_of(project), "/folder?ref=pics")
    assert names(text) == ["/ball/3.jpg", "/ball/4.tif", "/egg/1.jpg", "/egg/2.jpg"]
    assert '<option value="scored" selected>' in text and "people" not in re.findall(r"<option value=\"(\w+)\"", text)
    assert "not a picture" in text and "not shown by browsers" in text and "0.90" in text
    assert re.search(r"wrong:</span> <bdi>ball</bdi>", text) and "is <bdi>egg</bdi>" in text
    assert re.search(r"ball</bdi> <span class=\"count\">3<", text) and "5 files" in text
    assert 'href="/step?name=use"' in text


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("&label=egg", ["/egg/1.jpg"]),
        ("&only=wrong", ["/egg/2.jpg"]),
        ("&only=errors", ["/ball/3.jpg"]),
        ("&order=unsure", ["/gone.jpg", "/egg/2.jpg", "/egg/1.jpg", "/ball/3.jpg"]),
        ("&order=row&under=/egg", ["/egg/1.jpg", "/egg/2.jpg"]),
        ("&under=/ball", ["/ball/3.jpg", "/ball/4.tif"]),
        ("&name=EGG/2", ["/egg/2.jpg"]),
        ("&label=%27+OR+1", []),
        ("&dataset=-&under=/egg", ["/egg/1.jpg", "/egg/2.jpg"]),
    ],
)
def test_pictures_are_chosen_by_label_folder_and_name(project, client_of, more, found):
    assert names(labelled(client_of(project), f"/folder?ref=pics{more}")) == found


def test_the_large_view_has_all_columns(project, client_of):
    client = client_of(project)
    labelled(client, "/folder?ref=pics")
    text = client.get("/folder/rows?ref=pics&path=/egg/2.jpg").text
    assert "probability" in text and "0.6" in text and "204 bytes" in text


def test_more_pages_and_their_end(project, client_of, monkeypatch):
    for number in range(70):
        (project / "pics" / "egg" / f"more-{number:02d}.png").write_bytes(b"x")
    client = client_of(project)
    first = client.get("/folder?ref=pics&dataset=-").text
    following = re.search(r'data-more="([^"]+)"', first)[1].replace("&amp;", "&")
    rest = client.get(following).text
    assert len(names(first)) == 60 and len(names(rest)) == 14 and "data-more" not in rest


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/folder?ref=/etc", 404, "no folder"),
        ("/folder?ref=../..", 404, "no folder"),
        ("/folder?ref=gone", 200, "does not exist"),
        ("/folder?ref=afile", 200, "is a file, not a folder"),
        ("/picture?ref=pics&path=/../flow.yaml", 404, ""),
        ("/picture?ref=pics&path=/ball/note.txt", 404, "do not show files of this kind"),
        ("/file?ref=pics&path=/../flow.yaml", 404, "not a path inside"),
        ("/file?ref=pics&path=%00", 404, "not a path inside"),
        ("/folder/text?ref=pics&path=/egg/1.jpg", 404, "not shown as text"),
        ("/report?ref=pics&path=/ball/note.txt", 404, "no HTML page"),
        ("/dataset?ref=people.csv", 404, "no dataset"),
        ("/dataset?ref=missing", 200, "does not exist yet"),
        ("/dataset/rows?ref=people&after=zzz", 422, "no place in a table"),
        ("/folder/pictures?ref=pics&order=row;DROP&after=%C3%28", 200, ""),
    ],
)
def test_what_cannot_be_shown_is_said(project, client_of, address, status, said):
    answer = client_of(project).get(address)
    assert answer.status_code == status and said in answer.text


def test_hostile_names_are_shown_as_text_and_their_files_found(project, client_of):
    folder = project / "pics" / "egg"
    for name in NASTY:
        (folder / name).write_bytes(JPEG)
    (folder / os.fsdecode(b"bytes\xff.jpg")).write_bytes(JPEG)
    (folder / "leads out.jpg").symlink_to(project / "flow.yaml")
    os.mkfifo(folder / "pipe.jpg")
    client = client_of(project)
    text = client.get("/folder?ref=pics&under=/egg").text
    assert "<img src=x" not in text and "\u202e" not in text and "bytes\\xff.jpg" in text
    sources = [one.replace("&amp;", "&") for one in re.findall(r'<img src="([^"]+)"', text)]
    assert len(sources) == 2 + len(NASTY) + 1 and {client.get(one).status_code for one in sources} == {200}
    assert client.get("/picture?ref=pics&path=/egg/pipe.jpg").status_code == 404
    assert client.get("/picture?ref=pics&path=/egg/leads%20out.jpg").status_code == 404


def test_pictures_are_pictures_and_downloads_are_downloads(project, client_of):
    client = client_of(project)
    (project / "pics" / "page.jpg").write_text("<script>alert(1)</script>")
    found = client.get("/picture?ref=pics&path=/page.jpg")
    assert (found.headers["Content-Type"], found.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert "sandbox" in found.headers["Content-Security-Policy"]
    found = client.get("/file?ref=pics&path=/ball/note.txt")
    assert (
        found.headers["Content-Disposition"].startswith("attachment;") and found.mimetype == "application/octet-stream"
    )


def test_a_dataset_shows_types_thumbnails_and_nothing_as_html(project, client_of):
    client = client_of(project)
    scored = client.get("/dataset?ref=scored").text
    assert scored.count('<td class="picture">') == 4 and 'src="/picture?ref=pics&amp;path=%2Fegg%2F1.jpg"' in scored
    assert "4 rows" in scored and '<span class="type">string</span>' in scored
    people = client.get("/dataset?ref=people").text
    assert "<script>alert(1)" not in people and "&lt;script&gt;" in people and "no value" in people


def test_files_that_vanish_while_they_are_listed(project, client_of, monkeypatch):
    page = Walk.page

    def vanishing(walk, *given):
        found = page(walk, *given)
        (project / "pics" / "egg" / "1.jpg").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Walk, "page", vanishing)
    assert "is missing, or leads out" in client_of(project).get("/folder?ref=pics&dataset=-").text


def test_a_folder_in_memory_and_a_dataset_there(tmp_path, client_of):
    fsspec = pytest.importorskip("fsspec")
    disk = fsspec.filesystem("memory")
    disk.pipe_file("/ui-bucket/pics/a/1.jpg", JPEG)
    disk.pipe_file("/ui-bucket/pics/report/index.html", b"<p>hi")
    disk.pipe_file("/ui-bucket/rows.csv", b"a,b\n1,2\n")
    (tmp_path / "flow.yaml").write_text(
        "folders: {pics: {url: 'memory://ui-bucket/pics'}}\ndatasets: {rows: {url: 'memory://ui-bucket/rows.csv'}}\n"
    )
    client = client_of(tmp_path)
    assert "Open the report" in client.get("/folder?ref=pics").text
    text = client.get("/folder/pictures?ref=pics").text
    assert names(text) == ["/a/1.jpg"]
    assert client.get(re.search(r'<img src="([^"]+)"', text)[1].replace("&amp;", "&")).data == JPEG
    assert "1 row," in client.get("/dataset?ref=rows").text


def test_folders_that_no_step_makes_take_more_pictures(project, client_of):
    client = client_of(project)
    assert 'data-into="pics"' in client.get("/folder?ref=pics").text
    assert 'data-under="egg/"' in client.get("/folder?ref=pics&under=/egg").text
    (project / "flow.yaml").write_text("steps: [{recipe: some-recipe, outputs: {b: pics/egg, c: scored.csv}}]\n")
    made = client_of(project).get("/folder?ref=pics/egg").text
    assert "<h1>" in made and "data-into" not in made


def test_the_panel_opens_a_report_straight_from_the_flow(project, client_of):
    assert ">Open</a>" in client_of(project).get("/panel?id=folder:pics").text
    (project / "pics/report").mkdir()
    (project / "pics/report/index.html").write_text("<p>well</p>")
    text = client_of(project).get("/panel?id=folder:pics").text
    assert "/report?ref=pics&amp;path=%2Freport%2Findex.html" in text and "Open the folder" in text
