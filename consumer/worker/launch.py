"""Become Terraform, but stop in order when the worker dies.

Run as: python -I launch.py <pid of the worker> <command…>

A worker that is killed cannot stop its Terraform. The kernel can: it sends SIGINT, on which Terraform ends
its calls, writes the state and frees the lock. The wish survives exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit("the worker is gone")  # it died before the kernel knew of the wish
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
