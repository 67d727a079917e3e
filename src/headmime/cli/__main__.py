"""`python -m headmime.cli <verb> ...`: the same as the command `headmime`."""

import sys

from headmime.cli import main

if __name__ == "__main__":
    sys.exit(main())
