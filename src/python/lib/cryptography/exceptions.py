"""What verifying raises."""


class InvalidSignature(Exception):
    """The signature does not belong to this message and key."""
