"""The part of the package `cryptography` that handlers need."""
