"""`python -m panfocus`, and the command `panfocus`."""

import signal
import sys

# until the command line listens, Ctrl-C ends it at once, without words of Python's; this is read
# as well by worker processes, which look after themselves
if "__mp_main__" not in sys.modules:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from panfocus.cli import main

if __name__ == "__main__":
    sys.exit(main())
