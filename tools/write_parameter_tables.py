"""Write each component's roles and parameters from its JSON into its page, between two marks.

The page is under docs/; that of the example plugin is its README.md.

python tools/write_parameter_tables.py            # write
python tools/write_parameter_tables.py --check    # only say which pages are stale, exit 1 if any
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START, END = "<!-- generated from the component's JSON -->", "<!-- end of the generated part -->"


def cell(value):
    return str(value).replace("|", "\\|").replace("{", "&#123;").replace("\n", " ")


def roles(title, items):
    if not items:
        return []
    lines = [f"**{title}**", "", "| role | what | required |", "|---|---|---|"]
    for role in items:
        kind = "folder" if role.get("acceptsManagedFolder") else "dataset"
        required = "yes" if role["required"] else "no"
        lines.append(f"| `{role['name']}` ({kind}) | {cell(role['description'])} | {required} |")
    return [*lines, ""]


def allowed(param):
    if "selectChoices" in param:
        return "<br>".join(f"`{cell(c['value'])}` {cell(c['label'])}" for c in param["selectChoices"])
    low, high = (param.get(f"{side}{'I' if param['type'] == 'INT' else 'D'}") for side in ("min", "max"))
    bounds = [f"{word} {bound}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return ", ".join(bounds) or param["type"].lower().replace("_", " ")


def parameters(params):
    if not params:
        return []
    lines = ["**Parameters**", "", "| name | label | default | values | |", "|---|---|---|---|---|"]
    for param in params:
        if param["type"] == "SEPARATOR":
            continue
        default = f"`{json.dumps(param['defaultValue'])}`" if "defaultValue" in param else ""
        about = cell(param.get("description", ""))
        lines.append(f"| `{param['name']}` | {cell(param['label'])} | {default} | {allowed(param)} | {about} |")
    return lines


def generated(manifest):
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    body = roles("Inputs", facts.get("inputRoles")) + roles("Outputs", facts.get("outputRoles"))
    return "\n".join([START, "", *body, *parameters(facts["params"]), "", END])


def pages():
    for pattern in (
        "custom-recipes/*/recipe.json",
        "python-runnables/*/runnable.json",
        "parameter-sets/*/*.json",
        "webapps/*/*.json",
    ):
        for manifest in sorted(ROOT.glob(pattern)):
            yield ROOT / "docs" / f"{manifest.parent.name}.md", manifest
    example = ROOT / "examples" / "sample-pictures"
    yield example / "README.md", example / "python-runnables" / "vision-samples" / "runnable.json"


def refreshed(page, manifest):
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{page} lacks the marks {START!r} and {END!r}")
    return text, before + generated(manifest) + after


def main(check):
    stale = []
    for page, manifest in pages():
        old, new = refreshed(page, manifest)
        if old != new:
            stale.append(str(page.relative_to(ROOT)))
            if not check:
                page.write_text(new, encoding="utf-8")
    print(f"stale: {', '.join(stale)}" if stale else "all pages are current")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
