"""`/edit`: what the page asks for is done by the editor, merged, or refused with both versions."""


def test_edits_are_done_merged_and_refused(client_of, tmp_path):
    flow = tmp_path / "flow.yaml"
    flow.write_text("# mine\nfolders:\n  a: x\n")
    client = client_of(tmp_path)
    first = client.get("/state").json
    base = first["digest"]
    assert not first["undoable"]

    def edit(**change):
        return client.post("/edit", json={"change": change, "base": base})

    added = edit(kind="add_folder", name="b", options={"path": "y"})
    assert (added.status_code, added.json["command"]) == (200, "minihost add folder b y")
    assert flow.read_text() == "# mine\nfolders:\n  a: x\n  b: y\n"
    assert client.get("/state").json["undoable"]
    renamed = edit(kind="rename", old="a", new="c")  # meant for the first version, in which `a` is the same
    assert (renamed.status_code, renamed.json["select"]) == (200, "folder:c")
    flow.write_text(flow.read_text().replace("c: x", "a: z"))
    conflict = edit(kind="rename", old="a", new="d")
    assert conflict.status_code == 409 and "-  a: x\n+  a: z" in conflict.json["conflict"]
    assert edit(kind="rename", old="nothing", new="d").status_code == 422
    assert flow.read_text() == "# mine\nfolders:\n  a: z\n  b: y\n"
