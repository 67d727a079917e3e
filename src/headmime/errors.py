"""The one exception that a user is meant to read."""


class HeadmimeError(Exception):
    """Something the user can mend: one sentence that names the file or key and the remedy."""
