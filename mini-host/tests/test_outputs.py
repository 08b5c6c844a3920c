"""What a run leaves of its outputs: all of them, or what was there before."""

import os
from pathlib import Path
from textwrap import dedent

import pytest
from component_plugins import role
from one_recipe import OUT, ROWS, run

from minihost.errors import ComponentFailed, JobError


class TestOutputs:
    def test_a_failure_keeps_what_was_there(self, project):
        made = project()
        run(made)
        (made.plugins[0] / "custom-recipes" / "do" / "recipe.py").write_text(
            "import dataiku, pandas\ndataiku.Dataset('done').write_with_schema(pandas.DataFrame({'new': [2]}))\nraise ValueError('late')\n"
        )
        with pytest.raises(ComponentFailed, match="late"):
            run(made)
        assert made.rows("done") == ROWS
        assert sorted(os.listdir(made.root / "datasets")) == [
            "done.csv",
            "done.schema.json",
            "rows.csv",
            "rows.schema.json",
        ]

    def test_a_folder_through_its_path(self, project):
        code = """
            import os
            import dataiku
            folder = dataiku.Folder("done")
            place = folder.get_path()
            assert open(os.path.join(place, "old")).read() == "old"
            open(os.path.join(place, "old"), "w").write("new")
            os.makedirs(os.path.join(place, "sub"))
            open(os.path.join(place, "sub", "more"), "w").write("more")
            os.remove(os.path.join(place, "gone"))
            assert folder.list_paths_in_partition() == ["/old", "/sub/more"], folder.list_paths_in_partition()
        """
        made = project(code, outputs=[role("out", folder=True)], folders={"done": {"old": "old", "gone": "x"}})
        assert run(made).files("done") == {"/old": b"new", "/sub/more": b"more"}
        (made.plugins[0] / "custom-recipes" / "do" / "recipe.py").write_text(
            "import dataiku, os\np = dataiku.Folder('done').get_path()\nopen(os.path.join(p, 'old'), 'w').write('half')\nraise ValueError('late')\n"
        )
        with pytest.raises(ComponentFailed, match="late"):
            run(made)
        assert made.files("done") == {"/old": b"new", "/sub/more": b"more"}

    def test_the_same_folder_in_and_out(self, project):
        code = """
            import dataiku
            from dataiku.customrecipe import *
            model = dataiku.Folder(get_input_names_for_role("in")[0])
            out = dataiku.Folder(get_output_names_for_role("out")[0])
            out.upload_data("config", model.get_download_stream("config").read() + b"+1")
            out.delete_path("weights-1")
            out.upload_data("weights-2", b"w")
        """
        roles = {"inputs": [role("in", folder=True)], "outputs": [role("out", folder=True)]}
        made = project(code, **roles, folders={"model": {"config": "c", "weights-1": "w"}})
        for _time in range(2):
            made.run("do", inputs={"in": "model"}, outputs={"out": "model"})
        assert made.files("model") == {"/config": b"c+1+1", "/weights-2": b"w"}

    def test_a_cache_keeps_what_an_interrupted_run_wrote(self, project):
        code = """
            import dataiku
            dataiku.Folder("cache").upload_data("part", b"1")
            dataiku.Folder("out").upload_data("x", b"1")
            raise ValueError("late")
        """
        outputs = [role("out", folder=True), role("kept", folder=True, required=False, minihost={"cache": True})]
        made = project(code, outputs=outputs)
        with pytest.raises(ComponentFailed):
            made.run("do", inputs={"in": "rows"}, outputs={"out": "out", "kept": "cache"})
        assert made.files("cache") == {"/part": b"1"}
        assert made.files("out") == {}

    def test_optional_outputs_may_stay_unwritten(self, project):
        made = project(outputs=[*OUT, role("more", required=False)])
        made.run("do", inputs={"in": "rows"}, outputs={"out": "done", "more": "nothing"})
        assert not (made.root / "datasets" / "nothing.csv").exists()

    def test_a_folder_may_stay_as_it_is(self, project):
        made = project("pass", outputs=[role("out", folder=True)], folders={"done": {"x": "1"}})
        assert run(made).files("done") == {"/x": b"1"}

    def test_an_output_that_cannot_be_written_is_said_before_anything_runs(self, project, tmp_path):
        made = project(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        (made.root / "file").write_text("")
        with pytest.raises(JobError, match=r"Output out \(x\) cannot be written") as caught:
            made.run("do", inputs={"in": "rows"}, outputs={"out": "file/x.csv"})
        assert caught.value.exit_code == 2
        assert not (tmp_path / "ran").exists()
        assert list((made.root / ".minihost" / "jobs").iterdir()) == []

    def test_two_outputs_in_one_place(self, project):
        made = project(outputs=[*OUT, role("more")])
        with pytest.raises(JobError, match="are the same place"):
            made.run("do", inputs={"in": "rows"}, outputs={"out": "x.csv", "more": "x.csv"})

    def test_parquet_by_its_ending(self, project):
        made = project()
        made.run("do", inputs={"in": "rows"}, outputs={"out": "out/x.parquet"})
        assert (made.root / "out" / "x.parquet").read_bytes()[:4] == b"PAR1"


class TestPathsThatAreSaid:
    """Where an output was staged is gone after the run: nobody is sent there."""

    CODE = """
        import dataiku
        place = dataiku.Folder("done").get_path()
        open(place + "/made", "w").close()
        print("wrote", place + "/made", flush=True)
    """
    FAIL = "open(place + '/sub/no such file')"

    def test_by_a_recipe_that_fails(self, project):
        made = project(dedent(self.CODE) + self.FAIL, outputs=[role("out", folder=True)])
        done = made.add_folder("done")
        with pytest.raises(ComponentFailed) as caught:
            run(made)
        assert str(caught.value).endswith(f"No such file or directory: '{done}/sub/no such file'")
        log = caught.value.log.read_text()
        assert log.splitlines()[0] == f"wrote {done}/made"
        assert ".minihost-stage" not in log

    def test_by_a_recipe_that_succeeds(self, project):
        made = project(self.CODE, outputs=[role("out", folder=True)])
        made.add_folder("done")
        (path,) = [line.removeprefix("wrote ") for line in run(made).log.splitlines()]
        assert Path(path).is_file()

    @pytest.mark.parametrize("in_process", [False, True])
    def test_by_the_answer_of_a_macro(self, project, in_process):
        code = """
            import dataiku
            from dataiku.runnables import Runnable
            class Act(Runnable):
                def run(self, progress_callback):
                    place = dataiku.Folder(self.config["folder"]).get_path()
                    open(place + "/made", "w").close()
                    print(place + "/made", flush=True)
                    return place + "/made"
        """
        macro = ({"params": [{"name": "folder", "type": "MANAGED_FOLDER"}]}, code)
        made = project(macro=macro)
        done = made.run("act", params={"folder": "models/new"}, in_process=in_process)
        assert Path(done.answer["text"]).is_file()
        assert done.log.splitlines() == [done.answer["text"]]

    def test_by_an_error_of_the_host(self, project):
        code = "import dataiku\nwriter = dataiku.Dataset('done').get_writer()\nwriter.write_row_dict({'no': 1})\n"
        with pytest.raises(ComponentFailed) as caught:
            run(project(code))
        assert ".minihost-stage" not in str(caught.value) + caught.value.log.read_text()
