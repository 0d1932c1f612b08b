"""`python -m panfocus`."""

import sys

from panfocus.cli import main

sys.exit(main())
