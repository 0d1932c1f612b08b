"""`python -m panfocus`, and the command `panfocus`."""

import _signal  # pyright: ignore  what `signal` is made of: here at once, without a file
import sys
from typing import NoReturn

# until the command line listens, Ctrl-C ends it at once, without words of Python's; this is read
# as well by worker processes, which look after themselves
if "__mp_main__" not in sys.modules:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # pyright: ignore

from panfocus.cli import main as run
from panfocus.cli.stopping import end


def main() -> NoReturn:
    """Run the command line, and end the process."""
    end(run())


if __name__ == "__main__":
    main()
