"""The claims ledger: every checkable claim of the articles, each with how it is measured.

`CLAIMS` is the list, in the order of the articles. Shown on the page "Claims ledger".
"""

# Importing a part fills CLAIMS with its claims: these lines give the order of the ledger.
from helpers import claims_first_stage  # noqa: F401, I001
from helpers import claims_second_stage  # noqa: F401
from helpers import claims_final_stage  # noqa: F401
from helpers.claim import (
    ANSWERED,
    CLAIMS,
    CONFIRMED,
    REFUTED,
    TOLERANCE,
    VERDICTS,
    YOURS,
    Claim,
    Context,
    Entry,
    ledger,
)

__all__ = ["ANSWERED", "CLAIMS", "CONFIRMED", "REFUTED", "TOLERANCE", "VERDICTS", "YOURS", "Claim",
           "Context", "Entry", "ledger"]
