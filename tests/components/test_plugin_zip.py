"""The zip that DSS installs: what is in it, and that its components run from it."""

import zipfile


def test_the_zip_holds_the_plugin_alone_and_runs(minihost, root, photos):
    minihost.well("package", root, "-o", "dist")
    (zipped,) = (minihost.folder / "dist").glob("dss-plugin-vision-recipes-*.zip")
    with zipfile.ZipFile(zipped) as archive:
        inside = archive.namelist()
    assert "plugin.json" in inside
    tops = {name.split("/")[0] for name in inside}
    assert not tops & {"tests", "benchmarks", "examples", "docs", ".ci"}
    assert not [name for name in inside if "minihost" in name or "__pycache__" in name]
    assert {"custom-recipes/vision-classify/recipe.py", "resource/catalogue.json"} <= set(inside)

    checked = minihost("check", zipped)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 errors, 0 warnings" in checked.stdout

    roles = ("-i", f"image_folder={photos}")
    minihost.well("run", "vision-classify", "--plugin", zipped, *roles, "-o", "scored_dataset=zip.csv")
    assert len(minihost.table("zip.csv")) == 3
