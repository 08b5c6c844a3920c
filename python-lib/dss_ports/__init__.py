"""The border to the host platform: the only package that imports `dataiku`.

Recipes and macros open their folders and tables here; the core sees stores and tables only.
"""

import logging

from dss_ports.folders import folder_to_fill, folder_to_read, input_folder, input_folders, output_folder
from dss_ports.macros import percent, summary
from dss_ports.recipes import params
from dss_ports.tables import input_table, input_tables, optional_output_table, output_table, table_to_read

__all__ = [
    "folder_to_fill",
    "folder_to_read",
    "input_folder",
    "input_folders",
    "input_table",
    "input_tables",
    "optional_output_table",
    "output_folder",
    "output_table",
    "params",
    "percent",
    "summary",
    "table_to_read",
]

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
