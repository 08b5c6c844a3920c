"""The files of deploy/ fit the project: what a container installs, what it starts, and the manifests around it."""

from __future__ import annotations

import ast
import configparser
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from conftest import ROOT
from inference.tiny import write_tiny_model

from minihost.workers.ray_cluster import CLIENT_PORT
from vision_recipes.serving.http.options import ServeOptions, read_options

DEPLOY = ROOT / "deploy"
SCORING = {"openvino", "numpy", "pillow"}


def lines(text: str) -> set[str]:
    return {line.replace(" ", "") for line in text.splitlines() if line.strip()}


def instruction(name: str) -> list[list[str]]:
    """The lists that follow an instruction of the Dockerfile, in order."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    return [json.loads(found) for found in re.findall(rf"^{name} (\[.*\])$", text, re.M)]


def options(words: list[str], tmp_path: Path) -> ServeOptions:
    """What vision-serve understands by its words; the model's folder is one that exists."""
    return read_options([re.sub(r"=/.*", f"={tmp_path}", word) for word in words], {})


def test_a_container_installs_what_the_server_needs_and_no_framework():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    core = {one for one in lines(setup["options"]["install_requires"]) if re.split("[<>=]", one)[0] in SCORING}
    assert len(core) == len(SCORING)
    wanted = core | lines(setup["options.extras_require"]["serve"])
    assert lines((DEPLOY / "requirements.txt").read_text("utf-8")) == wanted


def test_the_builder_gets_all_that_an_installation_needs():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    given = {line[1:] for line in ignored if line.startswith("!")}
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = {line for value in setup["options.data_files"].values() for line in value.split()}
    needed = {pattern.split("/")[0] for pattern in patterns} | {"python-lib", "setup.cfg", "pyproject.toml"}
    assert needed | {"README.md", "deploy/requirements.txt"} == given
    assert all((ROOT / name).exists() for name in given)


def test_the_image_starts_the_server_for_other_machines_with_the_mounted_model(tmp_path):
    (entry,), (command,) = instruction("ENTRYPOINT"), instruction("CMD")
    assert entry[0] == "vision-serve"
    found = options([*entry[1:], *command], tmp_path)
    assert (found.host, found.port, found.hosts, list(found.folders)) == ("0.0.0.0", 8000, ("*",), ["model"])  # noqa: S104
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert "USER 10001:10001" in text and "/v2/health/ready" in text and f"EXPOSE {found.port}" in text
    assert "tensorflow" not in text


def test_the_manifest_of_kserve_starts_the_same_server(tmp_path):
    manifest = yaml.safe_load((DEPLOY / "kserve.yaml").read_text("utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    predictor = manifest["spec"]["predictor"]
    (container,) = predictor["containers"]
    found = options([*instruction("ENTRYPOINT")[0][1:], *container["args"]], tmp_path)
    (port,) = container["ports"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == port["containerPort"] == found.port
    assert list(found.folders) == [manifest["metadata"]["name"]]
    assert container["securityContext"]["readOnlyRootFilesystem"] and predictor["securityContext"]["runAsNonRoot"]
    assert predictor["terminationGracePeriodSeconds"] > found.grace


def test_the_application_of_ray_uses_what_there_is():
    config = yaml.safe_load((DEPLOY / "ray_serve.yaml").read_text("utf-8"))
    (application,) = config["applications"]
    module, function = application["import_path"].split(":")
    source = (DEPLOY / f"{module}.py").read_text("utf-8")
    assert len(source.splitlines()) <= 60
    tree = ast.parse(source)
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    (deployment,) = application["deployments"]
    assert f'name="{deployment["name"]}"' in source
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vision_recipes"):
            assert all(hasattr(importlib.import_module(node.module), alias.name) for alias in node.names), node.module


def test_the_manifest_of_kuberay_has_one_image_a_token_and_no_port_to_the_outside():
    manifest = yaml.safe_load((DEPLOY / "ray_cluster.yaml").read_text("utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayCluster")
    head, (group,) = manifest["spec"]["headGroupSpec"], manifest["spec"]["workerGroupSpecs"]
    containers = [one["template"]["spec"]["containers"][0] for one in (head, group)]
    assert head["serviceType"] == "ClusterIP" and CLIENT_PORT in [
        one["containerPort"] for one in containers[0]["ports"]
    ]
    assert len({one["image"] for one in containers}) == 1 and group["minReplicas"] <= group["replicas"]
    for container in containers:
        assert {one["name"] for one in container["env"]} == {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"}
        assert container["resources"]["requests"] == container["resources"]["limits"]
    dockerfile = (DEPLOY / "ray.Dockerfile").read_text("utf-8")
    (version,) = re.findall(r"^FROM rayproject/ray:([\d.]+)-py", dockerfile, re.M)
    assert manifest["spec"]["rayVersion"] == version
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert all(
        extra in setup["options.extras_require"]
        for extra in re.findall(r"source\[([^\]]+)\]", dockerfile)[0].split(",")
    )


@pytest.mark.slow
@pytest.mark.network
def test_its_steps_give_a_server_without_a_framework(tmp_path):
    """The lines of the Dockerfile, run by hand in a folder that holds only what the builder gets."""
    allowed = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split() if line[0] == "!"]
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in allowed:
        target = tmp_path / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=leave)
        else:
            shutil.copy(ROOT / name, target)
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    (steps,) = re.findall(r"^RUN (.*)$", text, re.M)
    environment = tmp_path / "vision"
    shell = steps.replace("/opt/vision", str(environment)).replace("python -m venv", f"{sys.executable} -m venv")
    installed = subprocess.run(shell, shell=True, cwd=tmp_path / "source", capture_output=True, encoding="utf-8")
    if "No matching distribution" in installed.stderr or "Connection" in installed.stderr:
        pytest.skip(f"no package index: {installed.stderr[-200:]}")
    assert installed.returncode == 0, installed.stderr
    packages = {path.name.lower() for path in environment.glob("lib/*/site-packages/*")}
    assert not [name for name in packages if fnmatch(name, "tensorflow*") or fnmatch(name, "keras*")]
    write_tiny_model(tmp_path / "model")
    command = [environment / "bin" / "vision-serve", "--port", "0", f"tiny={tmp_path / 'model'}"]
    named = {"TMPDIR": str(tmp_path), "PATH": os.environ["PATH"], "VISION_RECIPES_CACHE": str(tmp_path / "cache")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=named, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" ")[0]
            with urlopen(f"{address}/v2/health/ready", timeout=10) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
