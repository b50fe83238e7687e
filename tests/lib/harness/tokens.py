"""Signed tokens, right and wrong ones, with nothing but the standard library."""
import base64
import hashlib
import hmac
import json
import time

SECRET = "an-end-to-end-test-secret-of-more-than-32-bytes"
_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims, secret=SECRET, alg="HS256", header=None):
    head = header if header is not None else {"alg": alg, "typ": "JWT"}
    signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
    if alg == "none":
        return signed + "."
    key = secret.encode() if isinstance(secret, str) else secret
    return signed + "." + b64(hmac.new(key, signed.encode(), _HASHES[alg]).digest())


def token(member, nickname=None, ttl=3600, **claims):
    now = int(time.time())
    all_claims = {"sub": member, "nickName": nickname or member, "iat": now, "exp": now + ttl}
    all_claims.update(claims)
    return sign({k: v for k, v in all_claims.items() if v is not None})
