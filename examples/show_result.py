"""Say how an example went: accuracy on new pictures, the pictures it got wrong, where things lie, what to try next.

python examples/show_result.py examples/egg-or-not
"""

import csv
import sys
from pathlib import Path

NEXT = {
    "egg-or-not": """Try next
  Add pictures of your own to {project}/pictures/egg and {project}/pictures/not_egg, or draw more:
    .venv/bin/minihost run vision-samples --project {project} -p seed=3 -p count=200 -p output_managed_folder=pictures
  then train again:   .venv/bin/minihost build --project {project}
  The other example:  .venv/bin/minihost build --project examples/cartoon-characters""",
    "cartoon-characters": """Try next
  Compare {project}/results/general_labels.csv (ImageNet's labels) with scored.csv (those of the retrained network).
  Compare {project}/results/metrics.csv (the retrained network) with metrics_by_features.csv (a model on its features).
  See all pictures on a plane: open {project}/map/index.html.""",
}


def table(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def true_label(path):
    parts = path.strip("/").split("/")
    return parts[-2] if len(parts) > 1 else parts[-1].split("_pic_")[0]


def main(project):
    results = project / "results"
    metrics = {
        row["metric"]: float(row["value"])
        for row in table(results / "metrics.csv")
        if row["value"] and not row["class"]
    }
    scored = [row for row in table(results / "scored.csv") if row["error"] == "0"]
    wrong = [row for row in scored if row["label"] != true_label(row["images"])]
    wrong.sort(key=lambda row: -float(row["probability"]))
    print(f"\nAccuracy on {len(scored)} pictures held out from training: {metrics['accuracy']:.3f}")
    if wrong:
        print("Wrong, the most convinced first:")
    for row in wrong[:5]:
        print(f"  {row['images']}: {row['label']} ({float(row['probability']):.2f})")
    print(f"Everything lies in {project}: your model in models/, each picture's labels and the metrics in results/.")
    print(NEXT.get(project.name, "").format(project=project))
    print(f"\nThe page to look at: {(project / 'report' / 'index.html').resolve()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
