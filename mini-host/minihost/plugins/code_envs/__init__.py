"""Code environments: a virtual environment for each plugin that wants one, built on request from its requirements.

`spec` reads what a plugin asks for, `building` builds it with pip, imports every requirement once and mends what it can
(`repairs`, `relaxing`), `records` keeps what was built, and `lookup` says which Python the runs of a plugin use.
"""
