"""Spares a grammar: two seconds in which jsonschema learns to check internet addresses.

jsonschema checks notebooks when they are read; none of their fields is an address. Jupyter's
packages bring the grammar along, and it is compiled as soon as jsonschema is imported.
"""

import sys


def skip_grammar() -> None:
    """Let jsonschema find no grammar; to be called before anything imports it."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # absent
