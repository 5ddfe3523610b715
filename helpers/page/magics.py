"""Importing `helpers` in a notebook gives it the cell magics `%%say` and `%%alt`."""

import sys

if "IPython" in sys.modules:  # else nobody can use them
    from IPython import get_ipython

    from helpers.page.say import register

    if (shell := get_ipython()) is not None:
        register(shell)
