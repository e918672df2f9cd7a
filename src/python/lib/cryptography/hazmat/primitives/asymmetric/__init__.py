"""Signatures with a private and a public key."""
