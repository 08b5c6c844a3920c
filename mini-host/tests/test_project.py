"""What names and paths mean in a project."""

import pytest

from minihost.errors import JobError
from minihost.job import Reference
from minihost.plugins import Role
from minihost.projects import partitions, project

DATA, FOLDER, BOTH = (
    Role("data"),
    Role("folder", accepts_dataset=False, accepts_folder=True),
    Role("both", accepts_folder=True),
)
FLOW = """
folders: {pictures: data/pictures, cache: {in_place: true}}
datasets: {labels: labels.csv, vectors: {format: parquet}}
steps:
  - {recipe: r, inputs: {i: labels}, outputs: {o: scored}}
  - {macro: m, creates: [made]}
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "flow.yaml").write_text(FLOW)
    (tmp_path / "data" / "pictures").mkdir(parents=True)
    (tmp_path / "labels.csv").write_text("a\n1\n")
    (tmp_path / "more data.v2.csv").write_text("a\n1\n")
    return project.open(tmp_path)


def refused(here, role, ref, **more):
    with pytest.raises(JobError) as caught:
        here.reference(role, ref, **more)
    return str(caught.value)


def test_declared_names(here):
    found = here.reference(FOLDER, "pictures")
    assert (found.type, found.name, found.path) == ("MANAGED_FOLDER", "pictures", str(here.dir / "data" / "pictures"))
    found = here.reference(DATA, "labels")
    assert (found.type, found.full_name) == ("DATASET", f"{here.key}.labels")
    assert here.reference(BOTH, "labels").type == "DATASET"
    assert here.reference(BOTH, "pictures").type == "MANAGED_FOLDER"


def test_names_that_the_host_keeps(here):
    assert here.reference(DATA, "scored", output=True).path == str(here.dir / ".minihost" / "data" / "scored.csv")
    assert here.reference(DATA, "vectors", output=True).path == str(here.dir / ".minihost" / "data" / "vectors.parquet")
    made = here.find("MANAGED_FOLDER", "made")
    assert made.path == str(here.dir / ".minihost" / "data" / "made")
    assert here.find("MANAGED_FOLDER", "cache").options == {"in_place": True}
    (here.dir / ".minihost" / "data" / "found").mkdir(parents=True)
    assert "found" in here.names("MANAGED_FOLDER")
    assert "made" not in here.names("DATASET")


def test_paths(here):
    found = here.reference(DATA, "more data.v2.csv")
    assert (found.name, found.path) == ("more_data_v2", str(here.dir / "more data.v2.csv"))
    assert "." not in here.reference(FOLDER, "out/net.v3", output=True).name
    assert here.reference(BOTH, "out/x.parquet", output=True).type == "DATASET"
    assert here.reference(BOTH, "out/x", output=True).type == "MANAGED_FOLDER"
    assert here.reference(FOLDER, ".").path == str(here.dir)


def test_names_are_unique_in_a_job(here):
    pairs = [Reference("r", "MANAGED_FOLDER", "model", here.key, path) for path in ("/a/model", "/b/model", "/a/model")]
    here.others(pairs, [])
    assert [one.name for one in pairs] == ["model", "model_2", "model"]


def test_the_others(here):
    mine = here.reference(DATA, "labels")
    assert [one.name for one in here.others([mine], [])] == ["vectors", "pictures", "cache", "made"]


class TestMistakes:
    def test_missing_inputs_with_suggestions(self, here):
        assert "the folder 'data/picture' does not exist" in refused(here, FOLDER, "data/picture")
        assert "Did you mean 'data/pictures'?" in refused(here, FOLDER, "data/picture")
        assert "Did you mean './labels.csv'" in refused(here, DATA, "./label.csv")

    def test_names_that_nobody_declared(self, here):
        assert refused(here, DATA, "lables") == (
            "The input role 'data' takes a dataset (a .csv, .parquet, .tsv or .xlsx file, or a name from flow.yaml), and 'lables' is not such a "
            "file. Did you mean 'labels'? Names: labels, scored, vectors."
        )
        assert "Did you mean 'pictures'" in refused(here, FOLDER, "pictuers")

    def test_the_wrong_kind(self, here):
        assert refused(here, FOLDER, "labels") == "The input role 'folder' takes a folder, and 'labels' is a dataset."
        assert refused(here, DATA, "pictures") == "The input role 'data' takes a dataset, and 'pictures' is a folder."
        assert "takes a folder, and 'labels.csv' is a dataset" in refused(here, FOLDER, "labels.csv")
        assert "and 'data/pictures' is a folder" in refused(here, DATA, "data/pictures")
        assert "is not such a file. Save the spreadsheet as .xlsx" in refused(here, DATA, "x.xls")
        assert refused(here, DATA, "x.xlsx", output=True).endswith(
            "'x.xlsx' can be read, but not written. Choose a .csv, .parquet or .tsv file."
        )
        for ref in ("x", "labels", "pictures"):
            assert "a saved model" in refused(here, Role("m", accepts_dataset=False, accepts_model=True), ref)

    def test_a_file_is_no_folder(self, here):
        (here.dir / "file").write_text("")
        assert "'file' is a file, not a folder" in refused(here, FOLDER, "file")

    def test_projects_that_do_not_exist(self, tmp_path):
        with pytest.raises(JobError, match="does not exist"):
            project.open(tmp_path / "nothing")
        with pytest.raises(JobError, match="There is no flow"):
            project.open(tmp_path, tmp_path / "nothing.yaml")


def test_caches_are_written_in_place(here):
    role = Role("kept", accepts_dataset=False, accepts_folder=True, is_cache=True)
    assert here.reference(role, "x", output=True).options["in_place"] is True
    assert "in_place" not in here.reference(FOLDER, "x", output=True).options


def test_parameters_that_name_places(here):
    (here.dir / "net.keras").write_text("")
    params = [
        {"name": "where", "type": "MANAGED_FOLDER"}, {"name": "source", "type": "FOLDER"}, {"name": "table", "type": "DATASET"},
        {"name": "model_file", "type": "STRING"}, {"name": "other_file", "type": "STRING"}, {"name": "text", "type": "STRING"},
        {"name": "empty", "type": "FOLDER"},
    ]  # fmt: skip
    config = {
        "where": "models/net", "source": "pictures", "table": f"{here.key}.labels", "model_file": "net.keras",
        "other_file": "nowhere.txt", "text": "net.keras", "empty": "",
    }  # fmt: skip
    found = {one.role: one for one in here.places_in(params, config)}
    assert found["where"].path == str(here.dir / "models" / "net")
    assert found["source"].path == str(here.dir / "data" / "pictures")
    assert found["table"].type == "DATASET"
    assert config == {
        "where": "net", "source": "pictures", "table": "labels", "model_file": str(here.dir / "net.keras"),
        "other_file": "nowhere.txt", "text": "net.keras", "empty": "",
    }  # fmt: skip


def test_without_a_flow(tmp_path):
    place = tmp_path / "My photos 2024!"
    place.mkdir()
    found = project.open(place)
    assert (found.key, found.plugins, found.variables) == ("MY_PHOTOS_2024", [], {})
    assert list(place.iterdir()) == []


def test_the_hosts_own_folder_is_ignored_by_git(here):
    assert (here.own / ".gitignore").read_text() == "*\n"


def test_partitions_of_a_run(here):
    options = {"partitioning": {"dimensions": [{"name": "day"}]}}
    (here.dir / "parts" / "2024").mkdir(parents=True)
    folder = Reference("i", "MANAGED_FOLDER", "parts", here.key, str(here.dir / "parts"), options)
    table = Reference("o", "DATASET", "t", here.key, str(here.dir / "t"), options)
    assert partitions.mistakes([folder], "", output=False) == []
    assert folder.partitions == ["2024"]
    assert partitions.mistakes([table], "", output=True) == [
        "Output 'o' (t) is partitioned: say which partition to write."
    ]
    assert partitions.mistakes([table], "2025", output=True) == []
    assert table.partitions == ["2025"]


def test_a_link_to_a_file_keeps_its_own_folder(here):
    (here.dir / "elsewhere").mkdir()
    (here.dir / "elsewhere" / "blob").write_bytes(b"x")
    (here.dir / "linked").mkdir()
    (here.dir / "linked" / "net.keras").symlink_to(here.dir / "elsewhere" / "blob")
    config = {"model_file": "linked/net.keras"}
    here.places_in([{"name": "model_file", "type": "STRING"}], config)
    assert config["model_file"] == str(here.dir / "linked" / "net.keras")


@pytest.mark.parametrize(
    ("ref", "reason"), [("x" * 300, "300 bytes"), ("é" * 200 + ".csv", "404 bytes"), ("a\0b", "no file name")]
)
def test_a_name_that_no_disk_can_have_is_a_mistake_of_the_job(tmp_path, ref, reason):
    opened = project.open(tmp_path)
    for role in (Role("in"), Role("in", accepts_dataset=False, accepts_folder=True)):
        for output in (False, True):
            with pytest.raises(JobError, match=reason):
                opened.reference(role, ref, output=output)
