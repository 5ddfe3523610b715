"""What chapters judge with: the claims of the articles, and what the package itself answered."""

from helpers.evidence.ledger import (
    ANSWERED,
    CONFIRMED,
    REFUTED,
    VERDICTS,
    YOURS,
    Context,
    claims,
    ledger,
    measure,
)

__all__ = ["ANSWERED", "CONFIRMED", "REFUTED", "VERDICTS", "YOURS", "Context", "claims", "ledger",
           "measure"]
