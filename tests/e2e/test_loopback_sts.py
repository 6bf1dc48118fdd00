"""The test service of STS, judged by botocore and the AWS command line: roles
assumed, and every way in which they are not."""

import datetime
import json
import time
import urllib.parse

import pytest

import faults
from judges import ask, aws, aws_put, client, keys_of, put, refused
from keyring import Keyring
from scene import KEY, REGION, SECRET

ROLE = "arn:aws:iam::123456789012:role/path/r"
OTHER = "arn:aws:iam::210987654321:role/other"


def assume(service, keys, arn=ROLE, **how):
    how = {"RoleSessionName": "session", **how}
    return client("sts", service, keys).assume_role(RoleArn=arn, **how)


def test_assume_role(scene):
    service, sts = scene.service(), scene.sts(region=REGION)
    sts.role(ROLE, trusts={KEY}, external_id="external:/id")
    answer = assume(sts, (KEY, SECRET), ExternalId="external:/id",
                    DurationSeconds=900)
    end = answer["Credentials"]["Expiration"]
    left = end - datetime.datetime.now(datetime.timezone.utc)
    assert 890 < left.total_seconds() <= 900
    assert answer["AssumedRoleUser"]["Arn"] == \
        "arn:aws:sts::123456789012:assumed-role/path/r/session"
    keys = keys_of(answer)
    assert put(service, keys) == keys[0]
    (session,) = sts.sessions
    assert (session.name, session.caller, session.region, session.keys[:3]) \
        == ("session", KEY, REGION, keys)


def test_shorter_life_than_asked_for(scene):
    """For stories in which credentials end."""
    at = [1_700_000_000.5]
    sts = scene.sts(now=lambda: at[0], skew_s=1e9)
    sts.role(ROLE, life_s=20)
    answer = assume(sts, (KEY, SECRET), DurationSeconds=900)
    assert answer["Credentials"]["Expiration"].timestamp() == 1_700_000_020
    service = scene.service(now=sts.now, skew_s=1e9)
    assert put(service, keys_of(answer), sts.now()) == keys_of(answer)[0]
    at[0] += 19.5
    assert refused(put, service, keys_of(answer), sts.now()) == \
        ("ExpiredToken", 403)


def test_chain_across_accounts(scene):
    """Two deep: the second role trusts the first one, and what it yields is
    known in the other account alone."""
    service, sts = scene.service(), scene.sts()
    there = Keyring()
    abroad = scene.service(credentials=there)
    sts.role("arn:aws:iam::123456789012:role/r", trusts={KEY})
    sts.role(OTHER, trusts={"arn:aws:iam::123456789012:role/r"},
             keyring=there, external_id="42")
    first = keys_of(assume(sts, (KEY, SECRET),
                           "arn:aws:iam::123456789012:role/r"))
    assert refused(assume, sts, (KEY, SECRET), OTHER, ExternalId="42") == \
        ("AccessDenied", 403)
    second = keys_of(assume(sts, first, OTHER, ExternalId="42"))
    assert put(abroad, second) == second[0]
    assert refused(put, service, second) == ("InvalidClientTokenId", 403)
    assert refused(assume, sts, first, OTHER, ExternalId="42",
                   DurationSeconds=3601) == ("ValidationError", 400)


def assume_by_web(service, token, arn=ROLE):
    return client("sts", service, ("x", "y")).assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="pod", WebIdentityToken=token)


def test_web_identity(scene):
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE, web=True)
    sts.web_tokens["header.payload.signature_-"] = None
    keys = keys_of(assume_by_web(sts, "header.payload.signature_-"))
    assert put(service, keys) == keys[0]
    assert "authorization" not in sts.requests[0].headers
    sts.web_tokens["header.payload.signature_-"] = scene.now()
    assert refused(assume_by_web, sts, "header.payload.signature_-") == \
        ("ExpiredTokenException", 400)
    assert refused(assume_by_web, sts, "unknown") == \
        ("InvalidIdentityToken", 400)
    sts.web_tokens["known"] = None
    assert refused(assume_by_web, sts, "known", OTHER) == \
        ("AccessDenied", 403)
    sts.role(OTHER, trusts=None)
    assert refused(assume_by_web, sts, "known", OTHER) == \
        ("AccessDenied", 403)
    assert "unknown" in sts.secrets


def test_aws_command_line_assumes_a_role(scene):
    """By its own profile, two services in one line."""
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE, trusts={KEY})
    done = aws(scene, "sts", "assume-role", "--role-arn", ROLE,
               "--role-session-name", "cli", "--endpoint-url", sts.url,
               AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    assert done.returncode == 0, done.stderr
    keys = keys_of(json.loads(done.stdout))
    assert aws_put(scene, service, AWS_ACCESS_KEY_ID=keys[0],
                   AWS_SECRET_ACCESS_KEY=keys[1],
                   AWS_SESSION_TOKEN=keys[2]) == keys[0]


# Who calls, with what; what the service is like; the refusal.
REFUSED = {
    "no such role": ({"arn": OTHER}, {}, ("AccessDenied", 403)),
    "not trusted": ({"keys": ("AKIDOTHER", "other")}, {},
                    ("AccessDenied", 403)),
    "no external id": ({"ExternalId": "other"}, {}, ("AccessDenied", 403)),
    "unknown key": ({"keys": ("AKIDNONE", "x")}, {},
                    ("InvalidClientTokenId", 403)),
    "wrong secret": ({"keys": (KEY, "x")}, {},
                     ("SignatureDoesNotMatch", 403)),
    "old signature": ({}, {"now": lambda: time.time() + 400},
                      ("SignatureDoesNotMatch", 403)),
    "other region": ({}, {"region": "us-east-1"},
                     ("SignatureDoesNotMatch", 403)),
    "short name": ({"RoleSessionName": "x"}, {}, ("ValidationError", 400)),
    "long name": ({"RoleSessionName": "x" * 65}, {},
                  ("ValidationError", 400)),
    "name with a space": ({"RoleSessionName": "a b"}, {},
                          ("ValidationError", 400)),
    "external id with a space": ({"ExternalId": "a b"}, {},
                                 ("ValidationError", 400)),
    "too short": ({"DurationSeconds": 899}, {}, ("ValidationError", 400)),
    "too long": ({"DurationSeconds": 43201}, {}, ("ValidationError", 400)),
    "longer than the role allows": ({"DurationSeconds": 7201}, {},
                                    ("ValidationError", 400)),
    "no number": ({"DurationSeconds": "1h"}, {},
                  ("InvalidQueryParameter", 400)),
}


@pytest.mark.parametrize("label", REFUSED)
def test_refused(scene, label):
    call, how, refusal = REFUSED[label]
    scene.keyring["AKIDOTHER"] = ("other", None)
    sts = scene.sts(**how)
    sts.role(ROLE, trusts={KEY}, external_id="id", limit_s=7200)
    given = {"keys": (KEY, SECRET), "ExternalId": "id", **call}
    assert refused(assume, sts, **given) == refusal
    assert not sts.sessions


def test_caller_that_has_ended(scene):
    sts = scene.sts()
    sts.role(ROLE)
    caller = scene.keyring.issue()
    assume(sts, caller)
    scene.keyring.expire(caller)
    assert refused(assume, sts, caller) == ("ExpiredToken", 403)


@pytest.mark.parametrize("code, status", [
    ("IDPCommunicationError", 400), ("RegionDisabledException", 403),
    ("ExpiredTokenException", 400), ("InvalidIdentityToken", 400),
    ("IDPRejectedClaim", 403), ("PackedPolicyTooLarge", 400),
    ("MalformedPolicyDocument", 400), ("RequestExpired", 400),
    ("Throttling", 400), ("InternalFailure", 500)])
def test_scripted_refusal(scene, code, status):
    sts = scene.sts()
    sts.role(ROLE)
    sts.behave([faults.refuse(code)] * 2)
    assert refused(assume, sts, (KEY, SECRET)) == (code, status)
    answer = form(sts, json_wanted=True, Action="AssumeRole")
    assert (answer[0], json.loads(answer[1])["Error"]["Code"]) == (
        status, code)
    assume(sts, (KEY, SECRET))


def form(service, json_wanted=False, headers=None, **fields):
    """An unsigned request; (status, body)."""
    fields = {"Version": "2011-06-15", **fields}
    status, answered, body = ask(
        service, "POST", "/", {
            "Content-Type": "application/x-www-form-urlencoded",
            **({"Accept": "application/json"} if json_wanted else {}),
            **(headers or {})}, urllib.parse.urlencode(fields))
    kind = answered["Content-Type"]
    assert kind == ("application/json" if json_wanted and service.json
                    else "text/xml")
    return status, body.decode()


BY_WEB = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": ROLE,
          "RoleSessionName": "pod", "WebIdentityToken": "token"}


def test_json_and_xml(scene):
    """JSON when it is asked for, with the time as a number, in the form that
    Java gives it; XML when the service knows nothing else."""
    sts = scene.sts(now=lambda: 1714445638.0)
    sts.role(ROLE, web=True)
    sts.web_tokens["token"] = None
    status, body = form(sts, True, **BY_WEB)
    found = json.loads(body)["AssumeRoleWithWebIdentityResponse"][
        "AssumeRoleWithWebIdentityResult"]["Credentials"]
    assert status == 200 and found["Expiration"] == 1714449238
    assert "1.714449238E9" in body
    assert found["SecretAccessKey"] == sts.sessions[0].keys.secret
    sts.json = False
    status, body = form(sts, True, **BY_WEB)
    assert status == 200 and "<Expiration>2024-04-30T03:53:58Z<" in body
    status, body = form(sts, True, Action="AssumeRole")
    assert status == 403 and "<Code>MissingAuthenticationToken<" in body


@pytest.mark.parametrize("label, fields, headers, code", [
    ("signed", {}, {"Authorization": "AWS4-HMAC-SHA256 x"},
     "IncompleteSignature"),
    ("session token", {}, {"X-Amz-Security-Token": "x"},
     "IncompleteSignature"),
    ("no role", {"RoleArn": None}, {}, "ValidationError"),
    ("short role", {"RoleArn": "arn:aws:iam::1:r/x"}, {}, "ValidationError"),
    ("long token", {"WebIdentityToken": "x" * 20001}, {}, "ValidationError"),
    ("unknown parameter", {"External": "x"}, {}, "InvalidQueryParameter"),
    ("other version", {"Version": "2010-01-01"}, {}, "InvalidAction"),
    ("other action", {"Action": "GetFederationToken"}, {}, "InvalidAction"),
    ("no form", {}, {"Content-Type": "text/plain"}, "MissingAction"),
])
def test_request_at_fault(scene, label, fields, headers, code):
    sts = scene.sts()
    sts.role(ROLE, web=True)
    sts.web_tokens["token"] = None
    given = {name: value for name, value in {**BY_WEB, **fields}.items()
             if value is not None}
    status, body = form(sts, True, headers, **given)
    assert json.loads(body)["Error"]["Code"] == code
    assert status in (400, 403) and "x" * 100 not in body
