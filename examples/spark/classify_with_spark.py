"""vision-classify on the executors of a Spark cluster: the same rows, as a folder of Parquet files in listing order.

    spark-submit classify_with_spark.py PICTURES OUTPUT [MODEL_FOLDER]

PICTURES is a path that every executor sees, or a URL (s3://bucket/photos). Each Python worker opens the model once.
"""

import functools
import itertools
import sys

import pandas as pd

from minihost.folders import open_folder
from minihost.job import Reference
from vision_recipes.default_model import open_default
from vision_recipes.images.reading import read
from vision_recipes.inference.classification import Classification
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import open_model
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore


@functools.cache  # as long as the process lives, so for all tasks of a Python worker
def opened(pictures, model_folder):
    settings = ClassifySettings()
    folder = open_folder(Reference("pictures", "MANAGED_FOLDER", pictures, "SPARK", pictures))
    model = open_model(LocalStore(model_folder)) if model_folder else open_default()
    classification = Classification(model, settings)
    return folder, model, classification, open_engine(model, settings.compute, classification.output)


def classify(frames, pictures, model_folder=None):
    """Turn frames of paths in the folder `pictures`, in column `images`, into frames of vision-classify's rows."""
    folder, model, classification, engine = opened(pictures, model_folder)
    paths = (path for frame in frames for path in frame["images"])
    results = engine.run(read(folder, paths, model.preprocessing))
    rows = (classification.row(picture, vector)[0] for picture, vector in results)
    while some := list(itertools.islice(rows, 1000)):
        yield pd.DataFrame(some, columns=[column.name for column in classification.columns])


def main(spark, pictures, output, model_folder=None):
    """List the folder, have Spark classify it in 24 tasks per core, and write the rows."""
    folder, _, classification, _ = opened(pictures, model_folder)
    paths = [(path,) for path in folder.paths()] or sys.exit(f"{pictures} has no files.")
    sliced = spark.sparkContext.parallelize(paths, 24 * spark.sparkContext.defaultParallelism)
    columns = ", ".join(f"{column.name} {column.type}" for column in classification.columns)
    task = functools.partial(classify, pictures=pictures, model_folder=model_folder)
    sliced.toDF("images string").mapInPandas(task, columns).write.parquet(output)


if __name__ == "__main__":
    import classify_with_spark  # by its name, as executors import it: so they keep what it has opened
    from pyspark.sql import SparkSession

    session = SparkSession.builder.appName("vision-classify").getOrCreate()
    session.sparkContext.addPyFile(__file__)
    classify_with_spark.main(session, *sys.argv[1:])
