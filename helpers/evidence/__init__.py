"""What chapters judge with: the claims of the articles, and what the package itself answered."""

from helpers.evidence.ledger import (
    ARCHITECTURE,
    CONFIRMED,
    FINDING,
    PROPOSED,
    QUALIFIED,
    REFUTED,
    VERDICTS,
    YOURS,
    Context,
    claims,
    ledger,
    measure,
)

__all__ = ["ARCHITECTURE", "CONFIRMED", "FINDING", "PROPOSED", "QUALIFIED", "REFUTED", "VERDICTS",
           "YOURS", "Context", "claims", "ledger", "measure"]
