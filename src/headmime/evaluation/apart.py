"""A network that scores must have had no part in a training loss."""

from collections.abc import Mapping
from typing import Any

from headmime.errors import HeadmimeError


def check_apart(
    scorers: Mapping[str, Mapping[str, Any]], losses: Mapping[str, Mapping[str, Any]]
) -> None:
    """HeadmimeError if a file of weights is in both: `scorers` (use -> origin) and `losses` (where
    -> origin), whose `files` are name -> sha256.
    """
    for use, scorer in scorers.items():
        for where, loss in losses.items():
            shared = set(scorer.get("files", {}).values()) & set(loss.get("files", {}).values())
            if shared:
                raise HeadmimeError(
                    f"The scoring network {scorer['name']} ({use}) is in the loss of {where}: its "
                    "numbers would flatter. Choose other scorers= or other weights."
                )
