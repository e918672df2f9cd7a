"""Base64, and its alphabet for addresses."""

import binascii

__all__ = [
    "b16decode", "b16encode", "b64decode", "b64encode", "decodebytes", "encodebytes", "standard_b64decode",
    "standard_b64encode", "urlsafe_b64decode", "urlsafe_b64encode",
]

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _bytes(s):
    return s.encode("ascii") if isinstance(s, str) else bytes(s)


def b64encode(s, altchars=None):
    encoded = binascii.b2a_base64(s, newline=False)
    return encoded if altchars is None else encoded.translate(bytes.maketrans(b"+/", altchars))


def b64decode(s, altchars=None, validate=False):
    s = _bytes(s)
    if altchars is not None:
        s = s.translate(bytes.maketrans(_bytes(altchars), b"+/"))
    if validate and any(not (chr(sign).isalnum() or sign in b"+/=") for sign in s):
        raise binascii.Error("Only base64 data is allowed")
    return binascii.a2b_base64(s)


standard_b64encode = b64encode
standard_b64decode = b64decode


def urlsafe_b64encode(s):
    return b64encode(s).translate(_TO_URL)


def urlsafe_b64decode(s):
    return b64decode(_bytes(s).translate(_FROM_URL))


def b16encode(s):
    return binascii.hexlify(s).upper()


def b16decode(s, casefold=False):
    s = _bytes(s)
    if not casefold and s != s.upper():
        raise binascii.Error("Non-base16 digit found")
    return binascii.unhexlify(s)


def encodebytes(s):
    encoded = b64encode(s)
    return b"".join(encoded[at : at + 76] + b"\n" for at in range(0, len(encoded), 76))


def decodebytes(s):
    return binascii.a2b_base64(s)
