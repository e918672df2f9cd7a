"""JSON Web Tokens with PyJWT's functions, parameters and exceptions; algorithms HS256 and EdDSA (Ed25519)."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "DecodeError", "ExpiredSignatureError", "ImmatureSignatureError", "InvalidAlgorithmError", "InvalidAudienceError",
    "InvalidIssuerError", "InvalidKeyError", "InvalidSignatureError", "InvalidTokenError", "MissingRequiredClaimError",
    "PyJWTError", "decode", "encode", "get_unverified_header",
]


class PyJWTError(Exception):
    """Whatever goes wrong."""


class InvalidTokenError(PyJWTError):
    """The token must not be believed."""


class DecodeError(InvalidTokenError):
    """It is no token."""


class InvalidSignatureError(DecodeError):
    """It was not signed with this key."""


class ExpiredSignatureError(InvalidTokenError):
    """`exp` is over."""


class ImmatureSignatureError(InvalidTokenError):
    """`nbf` or `iat` is still to come."""


class InvalidAudienceError(InvalidTokenError):
    """It is for somebody else."""


class InvalidIssuerError(InvalidTokenError):
    """It is from somebody else."""


class InvalidAlgorithmError(InvalidTokenError):
    """Its algorithm is none of those that are allowed."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim that has to be there is not."""

    def __init__(self, claim):
        super().__init__(f'Token is missing the "{claim}" claim')
        self.claim = claim


class InvalidKeyError(PyJWTError):
    """The key does not fit the algorithm."""


def encode(payload, key, algorithm="HS256", headers=None):
    claims = dict(payload)
    for claim in ("exp", "iat", "nbf"):
        if hasattr(claims.get(claim), "timestamp"):
            claims[claim] = int(claims[claim].timestamp())
    header = {"alg": algorithm, "typ": "JWT", **(headers or {})}
    signed = f"{_written(header)}.{_written(claims)}"
    return f"{signed}.{_base64(_signature(algorithm, key, signed.encode()))}"


def decode(jwt, key="", algorithms=None, *, audience=None, issuer=None, leeway=0, options=None):
    options = {
        "verify_signature": True, "verify_exp": True, "verify_aud": True, "verify_iss": True, "require": [],
        **(options or {}),
    }
    header, claims, signed, signature = _parts(jwt)
    if options["verify_signature"]:
        if not algorithms:
            raise DecodeError('It is required that you pass in a value for the "algorithms" argument when calling decode().')
        if header.get("alg") not in algorithms:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        if not _verified(header["alg"], key, signed, signature):
            raise InvalidSignatureError("Signature verification failed")
        _check(claims, audience, issuer, leeway, options)
    return claims


def get_unverified_header(jwt):
    return _parts(jwt)[0]


def _check(claims, audience, issuer, leeway, options):
    for claim in options["require"]:
        if claims.get(claim) is None:
            raise MissingRequiredClaimError(claim)
    now = time.time()
    if options["verify_exp"] and "exp" in claims and claims["exp"] <= now - leeway:
        raise ExpiredSignatureError("Signature has expired")
    for claim in ("nbf", "iat"):
        if claim in claims and claims[claim] > now + leeway:
            raise ImmatureSignatureError(f"The token is not yet valid ({claim})")
    if options["verify_aud"]:
        _check_audience(claims, audience)
    if options["verify_iss"] and issuer is not None:
        if "iss" not in claims:
            raise MissingRequiredClaimError("iss")
        if claims["iss"] not in ([issuer] if isinstance(issuer, str) else issuer):
            raise InvalidIssuerError("Invalid issuer")


def _check_audience(claims, audience):
    there = claims.get("aud")
    if audience is None:
        if there:
            raise InvalidAudienceError("Invalid audience")
        return
    if not there:
        raise MissingRequiredClaimError("aud")
    wanted = [audience] if isinstance(audience, str) else audience
    given = [there] if isinstance(there, str) else there
    if not any(one in wanted for one in given):
        raise InvalidAudienceError("Audience doesn't match")


def _parts(token):
    if isinstance(token, bytes):
        token = token.decode()
    if not isinstance(token, str):
        raise DecodeError("Invalid token type. Token must be a <class 'bytes'>")
    parts = token.split(".")
    if len(parts) != 3:
        raise DecodeError("Not enough segments")
    try:
        header, claims = json.loads(_plain(parts[0])), json.loads(_plain(parts[1]))
        signature = _plain(parts[2])
    except ValueError as error:
        raise DecodeError(f"Invalid token: {error}") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise DecodeError("Invalid payload string: must be a json object")
    return header, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _signature(algorithm, key, signed):
    if algorithm == "HS256":
        return hmac.new(_secret(key), signed, hashlib.sha256).digest()
    if algorithm == "EdDSA":
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKeyError("EdDSA signs with an Ed25519PrivateKey")
        return key.sign(signed)
    if algorithm in (None, "none"):
        if key not in (None, ""):
            raise InvalidKeyError('When alg = "none", key value must be None.')
        return b""
    raise NotImplementedError("Algorithm not supported")


def _verified(algorithm, key, signed, signature):
    if algorithm == "HS256":
        return hmac.compare_digest(hmac.new(_secret(key), signed, hashlib.sha256).digest(), signature)
    if algorithm == "EdDSA":
        if isinstance(key, Ed25519PrivateKey):
            key = key.public_key()
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidKeyError("EdDSA verifies with an Ed25519PublicKey")
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True
    # Also for "none": without a signature there is nothing to verify.
    return False


def _secret(key):
    if isinstance(key, str):
        key = key.encode()
    if not isinstance(key, bytes):
        raise InvalidKeyError("Expected a string value")
    if b"-----BEGIN" in key or key.startswith(b"ssh-"):
        raise InvalidKeyError(
            "The specified key is an asymmetric key or x509 certificate and should not be used as an HMAC secret."
        )
    return key


def _written(value):
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
