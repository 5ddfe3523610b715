"""`python -m inside_musicnn` is the command `musicnn-book`."""

import sys

from inside_musicnn.commands.main import main

sys.exit(main())
