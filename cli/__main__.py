import signal
import sys

from cli.main import main

if __name__ == "__main__":
    # A shell that starts us in the background lets us ignore Ctrl-C; whoever sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
