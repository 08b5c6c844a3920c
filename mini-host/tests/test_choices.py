import json

import pytest
from plugin_folders import RECIPE, write, write_plugin

from minihost.cli import main
from minihost.parameters.resolving import Given
from minihost.plugins import Search, discovery
from minihost.projects import choices, project
from minihost.projects.planning import Request, plan, question

LAYER = {"name": "layer", "type": "SELECT", "getChoicesFromPython": True, "defaultValue": -2}
FILES = {
    "name": "files",
    "type": "MULTISELECT",
    "getChoicesFromPython": True,
}
MENU = """
import dataiku
import words

def do(payload, config, plugin_config, inputs):
    print("a form is drawn")
    if payload["parameterName"] == "files":
        folder = dataiku.Folder(inputs[0]["fullName"])
        return {"choices": [{"value": path, "label": path} for path in sorted(folder.list_paths_in_partition())]}
    return {"choices": [{"value": -2, "label": words.SECOND, "group": "end"}, {"value": -1, "label": f"-1: {config['layer']}"}]}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with a folder of pictures, and a plugin whose menus come from Python."""
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    folder_role = {"name": "input_folder", "required": False, "acceptsDataset": False, "acceptsManagedFolder": True}
    recipe = {
        **RECIPE,
        "inputRoles": [folder_role],
        "outputRoles": [],
        "params": [LAYER, FILES],
        "paramsPythonSetup": "menus/menu.py",
    }
    root = write_plugin(tmp_path / "plugin", recipes=[("pick", recipe)])
    write(root / "resource/menus/menu.py", MENU)
    write(root / "python-lib/words.py", "SECOND = 'the last but one'\n")
    write(tmp_path / "work/pictures/b.jpg", "")
    write(tmp_path / "work/pictures/a/a.jpg", "")
    monkeypatch.chdir(tmp_path / "work")
    return root


def ask(root, param, **more):
    catalogue = discovery.find(Search((root,), only_places=True))
    return choices.ask(param, question(Request("pick", **more), catalogue, project.open(root.parent / "work")))


def test_choices_of_a_function(place):
    assert ask(place, LAYER) == [choices.Choice(-2, "the last but one", "end"), choices.Choice(-1, "-1: -2")]


def test_choices_from_inputs_keep_their_slash(place):
    found = ask(place, FILES, inputs=(("input_folder", "pictures"),))
    assert [choice.value for choice in found] == ["/a/a.jpg", "/b.jpg"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return [{'value': 1, 'label': 'one'}]", [choices.Choice(1, "one")]),
        ("return {}", []),
        ("return None", []),
        ("return {'choices': None}", []),
        ("return {'choices': [{'value': 'v'}, {'label': 'no value'}, 3]}", [choices.Choice("v", "v")]),
    ],
)
def test_what_functions_return(place, body, found):
    write(place / "resource/menus/menu.py", f"def do(payload, *args, **kwargs):\n    {body}\n")
    assert ask(place, LAYER) == found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def do(payload, config, plugin_config, inputs):\n    raise ValueError('no model')\n", "no model"),
        ("def do(payload, config, plugin_config, inputs):\n    import os; os._exit(3)\n", "exited early with code 3"),
        ("def do(payload, config, plugin_config, inputs):\n    return 'text'\n", "a list is expected"),
        ("choices = []\n", "has no function do"),
    ],
)
def test_functions_that_fail(place, body, reason):
    write(place / "resource/menus/menu.py", body)
    with pytest.raises(choices.NoChoices, match=reason):
        ask(place, LAYER)


def test_a_function_that_never_returns(place):
    write(place / "resource/menus/menu.py", "def do(*arguments):\n    import time; time.sleep(600)\n")
    catalogue = discovery.find(Search((place,), only_places=True))
    job = question(Request("pick"), catalogue, project.open(place.parent / "work"))
    with pytest.raises(choices.NoChoices, match="did not finish within 1 seconds"):
        choices.ask(LAYER, job, timeout=1)


def test_menus_that_never_return_share_one_time(place, monkeypatch, capsys):
    monkeypatch.setattr(choices, "TIMEOUT", 1.0)
    write(place / "resource/menus/menu.py", "def do(*arguments):\n    import time; time.sleep(600)\n")
    assert main(["show", "pick", "--plugin", str(place), "--choices"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "did not finish within 1" in said
    assert "They were not asked for: those before took 1 seconds." in said


def test_a_file_outside_of_resource_is_not_run(place):
    descriptor = json.loads((place / "custom-recipes/pick/recipe.json").read_text())
    write(place / "custom-recipes/pick/recipe.json", {**descriptor, "paramsPythonSetup": "../python-lib/words.py"})
    with pytest.raises(choices.NoChoices, match="under resource/"):
        ask(place, LAYER)


def warnings(root, values=None, texts=(), outputs=()):
    catalogue = discovery.find(Search((root,), only_places=True))
    request = Request("pick", (("input_folder", "pictures"),), outputs, params=Given(values or {}, texts))
    return plan(request, catalogue, project.open(root.parent / "work")).warnings


def test_a_value_that_is_not_among_the_choices_is_a_warning(place):
    assert warnings(place) == ()
    assert warnings(place, {"layer": -1, "files": ["/b.jpg"]}) == ()
    assert warnings(place, texts=(("layer", "-1"),)) == ()
    assert warnings(place, {"layer": -7, "files": ["/b.jpg", "b.jpg"]}) == (
        "Parameter 'layer': '-7' is not among the choices. `minihost show pick --choices` lists them all.",
        "Parameter 'files': 'b.jpg' is not among the choices. Did you mean '/b.jpg'? `minihost show pick --choices` lists them all.",
    )


def test_outputs_are_no_matter_of_a_form(place):
    descriptor = json.loads((place / "custom-recipes/pick/recipe.json").read_text())
    output = {"name": "out", "required": True, "acceptsDataset": False, "acceptsManagedFolder": True}
    write(place / "custom-recipes/pick/recipe.json", {**descriptor, "outputRoles": [output]})
    outputs = (("out", "done/made"),)
    assert warnings(place, {"files": ["/b.jpg"]}, outputs=outputs) == ()
    assert "not among the choices" in warnings(place, {"files": ["b.jpg"]}, outputs=outputs)[0]
    assert not (place.parent / "work" / "done").exists()


def test_show_with_choices(place, capsys):
    assert main(["show", "pick", "--plugin", str(place), "--choices", "-i", "input_folder=pictures"]) == 0
    out = capsys.readouterr().out
    assert "- -2  the last but one" in out
    assert '- "/a/a.jpg"' in out
    assert main(["show", "pick", "--plugin", str(place), "--choices", "--json"]) == 0
    params = {param["name"]: param for param in json.loads(capsys.readouterr().out)["params"]}
    assert params["layer"]["choices"][0] == {"value": -2, "label": "the last but one"}
    assert "IndexError" in params["files"]["no_choices"]
    assert main(["show", "pick", "--plugin", str(place)]) == 0
    assert "choices: add -i ROLE=REF for those of an input, or --choices" in " ".join(capsys.readouterr().out.split())
    assert [path.name for path in (place.parent / "work").iterdir()] == ["pictures"]


@pytest.mark.parametrize("given", [("-i", "input_folder=pictures"), ("-p", "layer=-1")])
def test_an_input_or_a_parameter_is_enough_to_see_choices(place, capsys, given):
    assert main(["show", "pick", "--plugin", str(place), *given]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "- -2  the last but one" in lines
    assert ("- -1  -2" if given[0] == "-i" else "- -1  -1") in lines  # the number is not said twice


def test_long_lists_are_cut_unless_all_are_asked_for(place, capsys):
    for number in range(40):
        write(place.parent / f"work/many/{number:02}.jpg", "")
    shown = ("show", "pick", "--plugin", str(place), "-i", "input_folder=many")
    assert main([*shown]) == 0
    out = capsys.readouterr().out
    lines = [line.strip() for line in out.splitlines() if ".jpg" in line or "…" in line]
    first, last = [f'- "/{number:02}.jpg"' for number in range(5)], [f'- "/{number}.jpg"' for number in range(25, 40)]
    assert lines == [*first, "… 20 more; add --choices to see all 40", *last]
    assert out.splitlines()[-1].strip().startswith("minihost run pick -i input_folder=many --plugin ")
    assert main([*shown, "--choices"]) == 0
    assert capsys.readouterr().out.count(".jpg") == 40


def test_a_form_is_checked_as_a_run_is_but_may_be_incomplete(place, capsys):
    wrong = ("-i", "input_foldr=pictures", "-p", "layr=-1", "-p", "files.x=1")
    assert main(["show", "pick", "--plugin", str(place), *wrong]) == 2
    shown = capsys.readouterr().err
    assert main(["run", "pick", "--plugin", str(place), *wrong]) == 2
    assert shown == capsys.readouterr().err
    assert shown.splitlines() == [
        "There is no input role 'input_foldr'. Did you mean 'input_folder'? Roles: input_folder.",
        "There is no parameter 'layr'. Did you mean 'layer'? Parameters: files, layer.",
        "There is no parameter 'files.x'. Did you mean 'files'? Parameters: files, layer.",
    ]


def test_a_failure_names_the_line_and_no_folder_that_is_gone(place, capfd):
    write(
        place / "resource/menus/menu.py", "def do(payload, config, plugin_config, inputs):\n    return config['no']\n"
    )
    with pytest.raises(choices.NoChoices) as caught:
        ask(place, LAYER)
    assert str(caught.value) == "menu.py, line 2, gave no choices for 'layer': KeyError: 'no'"
    assert capfd.readouterr() == ("", "")
