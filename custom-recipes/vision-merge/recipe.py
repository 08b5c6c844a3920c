"""Merge shards: the tables of a folder's shards to the table of the whole folder."""

from dss_ports import (
    input_folder,
    input_folders,
    input_tables,
    optional_output_table,
    output_folder,
    output_table,
)
from vision_recipes.merge import MergeOutputs, Parts, merge

merge(
    pictures=input_folder("image_folder"),
    parts=Parts(
        tables=input_tables("part_datasets"),
        reviews=input_tables("review_parts"),
        folders=input_folders("part_folders"),
    ),
    outputs=MergeOutputs(
        merged=output_table("merged_dataset"),
        review=optional_output_table("review_dataset"),
        folder=output_folder("merged_folder"),
    ),
)
