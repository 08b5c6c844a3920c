"""The page on which people try a model: over HTTP, in a browser, and what is trained with what they correct."""

import csv
import io
import json
import shutil
from contextlib import contextmanager

import pytest
from conftest import ROOT
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from model_folder.small import local, write_small_model
from served_webapps import CHROMIUM, Served

PAGE = {"X-Requested-With": "vision-try"}
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


def jpeg(number=0):
    return encoded(picture(64 + number, 48), "JPEG")


def ask(client, question, content=None, headers=PAGE, **fields):
    """Return the status and the answer to a question of the page."""
    data = {**fields, **({} if content is None else {"picture": (io.BytesIO(content), "../../../x.jpg")})}
    answer = client.post(f"/{question}", data=data, headers=headers)
    return answer.status_code, answer.json


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_nothing_is_kept_without_a_folder_for_it(minihost_project, tmp_path):
    write_tiny_model(tmp_path / "model")
    project = minihost_project(plugin=ROOT)
    with project.webapp("vision-try", {"model_folder": str(tmp_path / "model"), "feedback_folder": ""}) as client:
        assert ask(client, "facts")[1]["feedback"] is None
        assert len(ask(client, "classify", jpeg())[1]["labels"]) == 5
        status, answer = ask(client, "correct", jpeg(), label="egg")
        assert (status, answer["error"].startswith("No feedback_folder is chosen")) == (422, True)


def test_what_is_kept_and_what_is_refused(minihost_project, tmp_path):
    write_tiny_model(tmp_path / "model")
    project, places = minihost_project(plugin=ROOT), tmp_path / "places"
    params = {"model_folder": str(tmp_path / "model"), "feedback_folder": str(places / "kept")}
    params["feedback_dataset"] = str(places / "deep" / "kept.csv")
    with project.webapp("vision-try", params, streams_only=True) as client:
        assert ask(client, "correct", jpeg(), label="007")[0] == 200
        assert ask(client, "correct", jpeg(1), label="../<b>")[1]["label"] == "../<b>"
        assert ask(client, "correct", jpeg(), label="NA")[1]["feedback"]["counts"] == [
            {"label": "NA", "count": 1},
            {"label": "../<b>", "count": 1},
        ]
        kept = rows(places / "deep" / "kept.csv")
        assert [row["label"] for row in kept] == ["../<b>", "NA"]
        assert {row["path"] for row in kept} == {
            f"/{path.relative_to(places / 'kept')}" for path in files(places / "kept")
        }
        assert all(path.parent.parent == places / "kept" for path in files(places / "kept"))
        svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        assert ask(client, "classify", svg)[1]["error"]
        for question, content, fields in (
            ("correct", svg, {"label": "egg"}),
            ("correct", jpeg(), {"label": "\u202e"}),
            ("correct", jpeg(), {}),
            ("classify", jpeg(), {"columns": "{"}),
            ("saliency", jpeg(), {"label": "no such label"}),
        ):
            status, answer = ask(client, question, content, **fields)
            assert (status, set(answer)) == (422, {"error"}), question
        assert ask(client, "correct", jpeg(), {}, label="egg")[0] == 404, "another site's page cannot send the header"
        assert ask(client, "classify", bytes(20_000_001))[0] == 413
        assert ask(client, "_facts")[0] == 404
        assert client.get("/facts").status_code == 405
        assert len(files(places / "kept")) == 2


def test_a_folder_that_cannot_be_written_is_told(minihost_project, tmp_path):
    write_tiny_model(tmp_path / "model")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "egg").write_text("a file where the folder of the label would be")
    params = {"model_folder": str(tmp_path / "model"), "feedback_folder": str(tmp_path / "kept")}
    with minihost_project(plugin=ROOT).webapp("vision-try", params) as client:
        status, answer = ask(client, "correct", jpeg(), label="egg")
    assert (status, "Check rights and space" in answer["error"]) == (422, True)
    assert files(tmp_path / "kept") == [tmp_path / "kept" / "egg"]


def test_a_table_that_cannot_be_written_leaves_no_picture(minihost_project, tmp_path):
    write_tiny_model(tmp_path / "model")
    (tmp_path / "kept.csv").mkdir()
    params = {"model_folder": str(tmp_path / "model"), "feedback_folder": str(tmp_path / "kept")}
    params["feedback_dataset"] = str(tmp_path / "kept.csv")
    with minihost_project(plugin=ROOT).webapp("vision-try", params) as client:
        status, answer = ask(client, "correct", jpeg(), label="egg")
    assert (status, "could not be written" in answer["error"]) == (422, True)
    assert files(tmp_path / "kept") == []


def test_settings_that_cannot_be_served(minihost_project, tmp_path):
    project = minihost_project(plugin=ROOT)
    for params, message in (
        ({"model_folder": str(tmp_path / "none")}, r"has no config\.json"),
        ({"feedback_dataset": "kept.csv"}, "choose a feedback_folder as well"),
    ):
        with pytest.raises(Exception, match=message), project.webapp("vision-try", params):
            pass


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def opened(served, **context):
    """A page of the web app in a browser that may ask this server alone; errors of its script fail the test."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as library:
        browser = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(**context).new_page()
        errors, addresses = [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(f"{served.url}?token={served.token}")
        page.wait_for_selector("#model:not(:empty)")
        yield page
        browser.close()
    assert errors == []
    assert [one for one in addresses if not one.startswith((served.url, "data:", "blob:"))] == []


@pytest.fixture
def small_page(tmp_path):
    write_small_model(local(tmp_path / "model"))
    folders = ("-p", "model_folder=model", "-p", "feedback_folder=kept", "-p", "feedback_dataset=kept.csv")
    served = Served("vision-try", "--plugin", ROOT, *folders, "-p", "title=Eggs & <b>cranes</b>", cwd=tmp_path)
    yield served
    served.stop()


@in_a_browser
@pytest.mark.network
def test_a_picture_is_answered_and_corrected_by_keyboard(small_page, tmp_path):
    name = "<img src=x onerror=alert(1)>.jpg"
    (tmp_path / name).write_bytes(jpeg())
    (tmp_path / "notes.jpg").write_text("no picture")
    with opened(small_page, viewport={"width": 360, "height": 740}, color_scheme="dark") as page:
        assert page.inner_text("h1") == "Eggs & <b>cranes</b>"
        assert "nowhere else" in page.inner_text("#privacy")
        page.set_input_files("#choose", [tmp_path / name, tmp_path / "notes.jpg"])
        page.wait_for_selector(".problem")
        assert page.inner_text(".problem") == "No answer: the bytes are not a picture."
        page.wait_for_selector(".bars")
        assert page.locator(".bars li").count() == 5
        assert page.locator("h2", has_text=name).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_role("button", name="Wrong").focus()
        page.keyboard.press("Enter")
        page.keyboard.type("a new")  # the list of labels has the focus, and finds what is typed
        page.keyboard.press("Tab")
        page.keyboard.type("boiled egg")
        page.keyboard.press("Enter")
        page.wait_for_selector(".kept")
        assert page.evaluate("document.activeElement.textContent") == "Kept as “boiled egg”. Thank you."
        assert page.inner_text("#counts") == "1 picture kept so far: 1 boiled egg."
        page.get_by_text("How to train with them").click()
        assert "-i feedback_folder=kept -i feedback_dataset=kept.csv -o model_output=model" in page.inner_text(
            "#command"
        )
    (row,) = rows(tmp_path / "kept.csv")
    assert (tmp_path / "kept" / row["path"][1:]).read_bytes() == jpeg()
    assert row["path"].startswith("/boiled egg/")


@in_a_browser
@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.network
def test_try_correct_retrain_and_try_again(workshop, tmp_path):
    """Others try the model of the workshop and correct it; the page answers with the next model when it is there."""
    folder, pictures = workshop.folder, files(workshop.folder / "more")[:3]
    shutil.copytree(folder / "egg_model", folder / "tried")
    words = ("-p", "model_folder=tried", "-p", "feedback_folder=kept", "-p", "feedback_dataset=kept.csv")
    served = Served("vision-try", "--plugin", ROOT, *words, cwd=folder)
    try:
        for width, scheme in ((1280, "light"), (360, "dark")):
            with opened(served, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
                page.set_input_files("#choose", pictures)
                page.wait_for_function("document.querySelectorAll('.bars').length === 3")
                assert {"egg", "not_egg"} == set(page.locator(".bars").first.locator(".label").all_inner_texts())
                assert page.locator(".verdict").count() == 3
                assert page.locator(".similar img").count() == 15
                page.get_by_role("button", name="Where is the evidence?").first.click()
                page.locator("figure img").wait_for(timeout=120_000)
                assert page.inner_text("figcaption p").startswith("Half of the evidence lies in ")
                assert page.evaluate("document.querySelector('figure img').naturalWidth") > 100
                card = page.locator(".card").nth(1)
                card.get_by_role("button", name="Wrong").click()
                card.locator("form select").select_option(label="a new label …")
                card.get_by_label("New label").fill("surprise")
                card.get_by_role("button", name="Send").click()
                card.locator(".kept").wait_for()
                page.get_by_role("button", name="Right").first.click()
                page.wait_for_function("document.querySelectorAll('.kept').length === 2")
                assert page.evaluate("document.documentElement.scrollWidth") == width
                page.screenshot(path=tmp_path / f"{width}.png", full_page=True)
        assert sorted(row["label"] for row in rows(folder / "kept.csv"))[-1] == "surprise"
        for number in range(6):  # a class needs some more
            (folder / "kept" / "surprise" / f"{number}.jpg").write_bytes(jpeg(number))
        kept = ("-i", "image_folder=eggs", "-i", "feedback_folder=kept", "-i", "feedback_dataset=kept.csv")
        workshop.well("run", "vision-retrain", *kept, "-o", "model_output=tried", "-p", "label_source=folder_names")
        facts = json.loads(served.ask("backend/facts", b"", **PAGE)[1])
        assert facts["labels"] == ["egg", "not_egg", "surprise"]
    finally:
        served.stop()
