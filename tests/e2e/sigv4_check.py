"""Signature Version 4 as the service sees it: recomputed, not trusted.

The algorithm is botocore's. Only what it would read from its surroundings is
taken from the request instead: the time from X-Amz-Date and the signed
headers from the Authorization header.
"""

import calendar
import re
import time
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.compat import HTTPHeaders

from aws_error import AwsError

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *"
    r"Signature=([^,\s]+)")
# Signed when they are sent; the names x-amz-* come on top.
_IF_SENT = ("content-type", "content-encoding")
_ALWAYS = ("host", "x-amz-date")


class _Recomputed(SigV4Auth):
    """Signs the headers it is given, no more and no fewer."""

    def headers_to_sign(self, request):
        return request.headers


def check(request, credentials, service, region, now, skew_s):
    """Return the access key that signed the request, or raise AwsError.

    `credentials` maps access keys to (secret, token or None), or to these and
    the time at which they end; with `region` None any region will do. Times
    are in seconds since 1970. What has ended is told last: all else was good.
    """
    given = request.headers.get("authorization")
    if not given:
        raise AwsError("MissingAuthenticationToken",
                       "Request is missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(given)
    if not match:
        raise AwsError("IncompleteSignature",
                       "Authorization header is not of the form "
                       "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., "
                       f"Signature=...: {given[:80]!a}")
    signed = match[2].split(";")
    key, *scope = match[1].split("/")
    if len(scope) != 4 or scope[3] != "aws4_request":
        raise AwsError("IncompleteSignature",
                       "Credential must be KEY/YYYYMMDD/REGION/SERVICE/"
                       f"aws4_request, got {match[1]!a}")
    _check_headers(request, signed)
    if key not in credentials:
        raise AwsError("InvalidClientTokenId", _BAD_TOKEN)
    secret, token, *end = credentials[key]
    if request.headers.get("x-amz-security-token") != token:
        raise AwsError("InvalidClientTokenId", _BAD_TOKEN)
    _check_scope(request, scope, service, region)
    _check_time(request.headers["x-amz-date"], now, skew_s)
    _compare(request, signed, key, scope, secret, given)
    if end and end[0] is not None and now >= end[0]:
        raise AwsError("ExpiredToken", "The security token included in the "
                       "request is expired")
    return key


_BAD_TOKEN = "The security token included in the request is invalid."


def _check_headers(request, signed):
    missing = [name for name in _ALWAYS if name not in request.headers]
    if missing:
        raise AwsError("IncompleteSignature",
                       f"The request has no header {missing[0]}")
    due = [name for name in request.headers
           if name in _ALWAYS + _IF_SENT or name.startswith("x-amz-")]
    unsigned = [name for name in due if name not in signed]
    absent = [name for name in signed if name not in request.headers]
    if unsigned or absent:
        fault = "not signed" if unsigned else "signed but not sent"
        raise AwsError("SignatureDoesNotMatch",
                       f"Headers {fault}: {', '.join(unsigned or absent)}")
    digest = request.headers.get("x-amz-content-sha256")
    if digest not in (None, sha256(request.body).hexdigest()):
        raise AwsError("SignatureDoesNotMatch",
                       "x-amz-content-sha256 is not that of the body")


def _check_scope(request, scope, service, region):
    date = request.headers["x-amz-date"]
    if scope[0] != date[:8]:
        raise AwsError("SignatureDoesNotMatch",
                       f"Date in Credential scope, {scope[0]!a}, is not the "
                       f"day of X-Amz-Date, {date!a}")
    if region is not None and scope[1] != region:
        raise AwsError("SignatureDoesNotMatch",
                       "Credential should be scoped to a valid region, "
                       f"not {scope[1]!a}.")
    if scope[2] != service:
        raise AwsError("SignatureDoesNotMatch",
                       "Credential should be scoped to correct service: "
                       f"{service!a}, not {scope[2]!a}.")


def _check_time(date, now, skew_s):
    try:
        if not re.fullmatch(r"\d{8}T\d{6}Z", date, re.ASCII):
            raise ValueError(date)
        signed = calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError as e:
        raise AwsError("IncompleteSignature",
                       f"X-Amz-Date {date!a} is not of the form "
                       "YYYYMMDDTHHMMSSZ") from e
    bound = f"({_stamp(now)} %s {skew_s / 60:g} min.)"
    if signed < now - skew_s:
        raise AwsError("SignatureDoesNotMatch",
                       f"Signature expired: {date} is now earlier than "
                       f"{_stamp(now - skew_s)} {bound % '-'}")
    if signed > now + skew_s:
        raise AwsError("SignatureDoesNotMatch",
                       f"Signature not yet current: {date} is still later "
                       f"than {_stamp(now + skew_s)} {bound % '+'}")


def _stamp(seconds):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def _compare(request, signed, key, scope, secret, given):
    headers = HTTPHeaders()
    for name, value in request.header_list:
        if name.lower() in signed:
            headers[name.lower()] = _utf8(value)
    auth = _Recomputed(Credentials(key, secret), scope[2], scope[1])
    made = AWSRequest(
        request.method, f"http://{request.headers['host']}{request.path}",
        headers, request.body)
    made.context["timestamp"] = request.headers["x-amz-date"]
    canonical = auth.canonical_request(made)
    text = auth.string_to_sign(made, canonical)
    expected = (f"AWS4-HMAC-SHA256 Credential={auth.scope(made)}, "
                f"SignedHeaders={auth.signed_headers(headers)}, "
                f"Signature={auth.signature(text, made)}")
    if expected != given:
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the "
            "signature you provided.\n\n"
            f"The Canonical String for this request should have been\n"
            f"'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{text}'")


def _utf8(value):
    """http.server reads header bytes as Latin-1, signers mean UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace")
