"""`python -m minihost` is the command `minihost`."""

import sys

from minihost.cli import main

if __name__ == "__main__":
    sys.exit(main())
