"""Bytes as hexadecimal and base64, and back."""

import _binascii
from _binascii import crc32, hexlify


class Error(ValueError):
    pass


def unhexlify(hexstr, /):
    try:
        return _binascii.unhexlify(hexstr)
    except ValueError as refused:
        raise Error(str(refused)) from None


def a2b_base64(string, /, *, strict_mode=False):
    try:
        return _binascii.a2b_base64(string)
    except ValueError as refused:
        raise Error(str(refused)) from None


def b2a_base64(data, /, *, newline=True):
    encoded = _binascii.b2a_base64(data)
    return encoded + b"\n" if newline else encoded


b2a_hex = hexlify
a2b_hex = unhexlify
