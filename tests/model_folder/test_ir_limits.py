"""An IR from anywhere: hostile ones are refused before they are computed, damaged ones with the next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from model_folder import broken_irs
from model_folder.broken_irs import edit_graph, edit_xml, replace
from model_folder.small import local

from vision_recipes.errors import ModelFolderError
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import open_model
from vision_recipes.settings import ComputeSettings

WITHOUT_GPU = ComputeSettings(use_gpu="false")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def refusal(folder: Path, **settings: object) -> str:
    """Return the message with which a model folder is refused; it names the file and the next step."""
    with pytest.raises(ModelFolderError) as caught:
        open_engine(open_model(local(folder)), WITHOUT_GPU, **settings)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith("model.xml in model folder") and "vision-import" in message
    return message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (broken_irs.endless_loop, "operation 'Loop'"),
        (broken_irs.broadcast(1 << 36), "tensor of shape [68719476736]"),
        (broken_irs.broadcast(12_000_000), "out of constants"),
        (broken_irs.shape_by_broadcast, "gives a shape and is no short list"),
        (broken_irs.shape_by_doubling, "gives a shape and is no short list"),
        (broken_irs.shape_by_outer_product, "gives a shape and is no short list"),
        (broken_irs.shape_by_contents, "gives a shape and is no short list"),
        (broken_irs.many_products, "multiply-adds"),
        (broken_irs.powers_of_the_batch, "makes"),
    ],
)
def test_networks_without_bounds_are_refused(folder: Path, change: broken_irs.Edit, reason: str) -> None:
    edit_graph(folder, change)
    assert reason in refusal(folder, batch=8)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[: len(text) // 2], "is not the XML of a network"),
        (lambda text: "<html><body>Not found</body></html>", "element 'html'"),
        (lambda text: " ", "is not the XML of a network"),
        (lambda text: text.replace('<?xml version="1.0"?>', '<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "b">]>'), "type"),
        (replace("<layers>", "<layers></layers><layers>"), "'layers' of 'net' twice"),
        (replace("<layers>", "<layers><other />"), "element 'other' among its layers"),
        (replace("<meta_data>|<rt_info>", "<rt_info>" + "<a>" * 99 + "</a>" * 99), "deep"),
        (replace('type="Convolution" version="opset1"', 'type="Convolution" version="extension"'), "'extension'"),
        (replace('type="Convolution"', 'type="Magic"'), "operation 'Magic'"),
        (replace('version="opset1"', 'version="opset99"'), "cannot be read by OpenVINO"),
        (replace('(id="1" name=")[^"]*', r"\1Parameter_0"), "two layers"),
        (replace('layer id="1"', 'layer id="0"'), "two layers"),
        (replace('offset="\\d+"', 'offset="99999999"'), "bytes of weights do not hold"),
        (replace('offset="\\d+"', 'offset="-4"'), "'-4'"),
        (replace('(element_type="f32" )shape="[^"]*"( offset)', r'\1shape="99999999999, 9"\2'), "do not hold"),
        (replace('element_type="f32"( shape="[^"]*" offset)', r'element_type="string"\1'), "type 'string'"),
        (replace('<edge [^>]*/>', ""), "nothing is connected to"),
        (replace('(<edge [^>]*/>)', r"\1\1"), "which cannot be"),
        (replace('to-port="0"', 'to-port="7"'), "which cannot be"),
        (replace('shape="\\?,16,20,3"', 'shape="?,16,24,3"'), "of shape ? x 16 x 24 x 3, where ? x 16 x 20 x 3"),
        (replace('shape="\\?,16,20,3"', 'shape="?,?,20,3"'), "OpenVINO"),
        (replace('names="pixels"', 'names="photo"'), "takes ['photo']"),
        (lambda text: re.sub('names="([^"]*)layer:2([^"]*)"', r'names="\1layer:7\2"', text), "no result 'layer:2'"),
        (lambda text: re.sub('names="([^"]*)scores([^"]*)"', r'names="\1answers\2"', text), "no result 'scores'"),
        (lambda text: re.sub("scores,layer:4|layer:4,scores", "layer:3", text.replace("layer:3", "scores,layer:4")), "result"),
    ],
)  # fmt: skip
def test_odd_files_are_refused_by_name(folder: Path, change: broken_irs.Edit, reason: str) -> None:
    edit_xml(folder, change)
    assert reason in refusal(folder)


def test_layers_in_a_circle_are_refused(folder: Path) -> None:
    def change(text: str) -> str:
        edges = re.findall(r'<edge from-layer="(\d+)" from-port="(\d+)" to-layer="(\d+)" to-port="(\d+)" />', text)
        consumers = {source for source, *_ in edges}
        last = next(target for _source, _port, target, _input in reversed(edges) if target in consumers)
        old = next(edge for edge in edges if edge[2] == last)
        edge = '<edge from-layer="{}" from-port="{}" to-layer="{}" to-port="{}" />'
        return text.replace(edge.format(*old), edge.format(last, old[1], *old[2:]))

    edit_xml(folder, change)
    assert "in a circle" in refusal(folder)


def test_weights_that_are_cut_off_are_named(folder: Path) -> None:
    from model_folder.broken_irs import _sign

    content = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(content[:-100])
    _sign(folder)
    assert "bytes of weights do not hold" in refusal(folder)


def test_a_network_that_was_verified_here_is_not_checked_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_recipes.model_folder import ir_limits

    model = open_model(local(folder))
    open_engine(model, WITHOUT_GPU)
    monkeypatch.setattr(ir_limits, "read_ir", None)
    open_engine(model, WITHOUT_GPU)


def test_the_default_network_is_within_limits(default_folder: Path) -> None:
    open_engine(open_model(local(default_folder)), WITHOUT_GPU)


def test_a_head_is_never_put_on_a_hostile_network(folder: Path, tmp_path: Path) -> None:
    import numpy as np

    from vision_recipes.model_folder.heads import About, Head, save_with_head

    edit_graph(folder, broken_irs.endless_loop)
    head = Head(np.zeros((6, 2), np.float32), np.zeros(2, np.float32), ("a", "b"))
    with pytest.raises(ModelFolderError, match="operation 'Loop'"):
        save_with_head(local(tmp_path / "new"), open_model(local(folder)), head, About("new"))
