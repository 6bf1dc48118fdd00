"""The Security Token Service for loopback: AssumeRole and
AssumeRoleWithWebIdentity.

    sts = TokenService(keyring, region="eu-west-1")
    sts.role("arn:aws:iam::123456789012:role/a", trusts={KEY},
             external_id="x")
    daemon = scene.start(..., uses=[sts])

Signatures are recomputed, parameters are held against botocore's model of STS,
and what is given out is known to the keyring until it ends. Misbehaviour:
faults.refuse() with a code of STS (IDPCommunicationError, ExpiredToken, ...),
and what else faults.py has.
"""

import dataclasses
import json
import re
import threading
import time

import botocore.loaders
import botocore.model

import aws_wire
import sigv4_check
from aws_error import ERRORS, AwsError, Findings
from aws_shapes import to_json
from connection import Answer
from keyring import Keyring, Keys, user_arn
from loopback import LoopbackService

VERSION = "2011-06-15"
CHAINED_LIMIT_S = 3600
_UNSIGNED = "AssumeRoleWithWebIdentity"


@dataclasses.dataclass
class Role:
    """arn          of the role
    trusts       who may assume it by AssumeRole: access keys, ARNs of users,
                 sessions, or roles behind sessions; None: everyone known
    external_id  what must be given; None: it does not matter
    web          whether it trusts web identities
    keyring      where its credentials become known, such as another account's
    limit_s      its MaxSessionDuration
    life_s       how long its credentials last, whatever was asked for; None:
                 as asked
    """

    arn: str
    trusts: set = None
    external_id: str = None
    web: bool = False
    keyring: Keyring = None
    limit_s: int = 43200
    life_s: float = None


@dataclasses.dataclass
class Session:
    """What was given out, and to whom."""

    role: Role
    name: str
    caller: str  # its access key; None: a web identity
    region: str  # signed for; None: not signed
    keys: Keys


class TokenService(LoopbackService):
    """keyring     who may call, and where what is given out becomes known
    region      the region that must be signed for; None: any
    json        whether Accept: application/json is heeded
    web_tokens  {token: end or None}: the web identities that are known
    sessions    each Session given out, in order

    json and web_tokens may be changed while it runs.
    """

    def __init__(self, keyring, host="127.0.0.1", port=0, now=time.time,
                 region=None, skew_s=300, tls=None, log=None, network=None):
        self.keyring = keyring
        self.region = region
        self.skew_s = skew_s
        self.json = True
        self.web_tokens = {}
        self.sessions = []
        self._roles = {}
        self._lock = threading.Lock()
        super().__init__(host, port, tls, now, log, network)

    @property
    def environment(self):
        """What makes a daemon use it."""
        return {"AWS_ENDPOINT_URL_STS": self.url}

    @property
    def secrets(self):
        """The web identity tokens, sent ones too."""
        sent = {request.input.get("WebIdentityToken")
                for request in self.requests if request.input}
        return (set(self.web_tokens) | sent) - {None}

    def role(self, arn, **how):
        """Add a Role, or replace that of the same ARN."""
        self._roles[arn] = Role(arn, **how)
        return self._roles[arn]

    def refusal(self, request, code, message=None, status=None):
        """The Answer that refuses a request."""
        return self._wire(request).failure(
            request, AwsError(code, message, status))

    # --- LoopbackService

    def identify(self, request):
        request.decoded = request.body
        request.operation = _Xml().operation(request)

    def perform(self, request):
        wire = self._wire(request)
        try:
            return wire.success(request, self._perform(request))
        except AwsError as error:
            return wire.failure(request, error)

    def finished(self, request):
        if request.status != 200:
            self._log(f"request {request.number}, {request.operation}: "
                      f"{request.status or 'dropped'} {request.code or ''} "
                      f"{request.message or ''}")

    def _wire(self, request):
        wanted = request.headers.get("accept", "") == "application/json"
        return _Json() if wanted and self.json else _Xml()

    def _perform(self, request):
        kind = request.headers.get("content-type", "").split(";")[0]
        if request.method == "POST" and kind != _Xml.content_type:
            raise AwsError("MissingAction", f"A form is due, not {kind!a}")
        if request.operation not in ("AssumeRole", _UNSIGNED):
            raise AwsError("InvalidAction", "Could not find operation "
                           f"{request.operation!a}")
        region = None
        if request.operation == _UNSIGNED:
            _check_unsigned(request)
        else:
            request.access_key = sigv4_check.check(
                request, self.keyring, "sts", self.region, self.now(),
                self.skew_s)
            region = request.headers["authorization"].split("/")[2]
        findings = Findings()
        request.input = _Xml().read(request, findings)
        findings.check()
        _check_limits(request)
        role = self._find_role(request)
        return self._give(request, role, region)

    def _find_role(self, request):
        given = request.input
        role = self._roles.get(given["RoleArn"])
        if request.operation == _UNSIGNED:
            self._check_web_token(given["WebIdentityToken"])
            if role is None or not role.web:
                raise AwsError("AccessDenied", "Not authorized to perform "
                               f"sts:{_UNSIGNED}")
        else:
            caller = self._arn(request.access_key)
            trusted = role is not None and (
                role.trusts is None or role.trusts
                & {request.access_key, caller, _role_behind(caller)})
            if not trusted or role.external_id not in (
                    None, given.get("ExternalId")):
                raise AwsError("AccessDenied", f"User: {caller} is not "
                               "authorized to perform: sts:AssumeRole on "
                               f"resource: {given['RoleArn']}")
        return role

    def _arn(self, key):
        return getattr(self.keyring, "arns", {}).get(key) or user_arn(key)

    def _check_web_token(self, token):
        if token not in self.web_tokens:
            raise AwsError("InvalidIdentityToken", "No OpenIDConnect provider "
                           "found in your account for the token")
        end = self.web_tokens[token]
        if end is not None and self.now() >= end:
            raise AwsError("ExpiredTokenException",
                           f"Token expired: current date/time {self.now():.0f}"
                           f" must be before the expiration date/time {end}")

    def _duration(self, request, role):
        asked = request.input.get("DurationSeconds", 3600)
        chained = request.access_key is not None and (
            ":assumed-role/" in self._arn(request.access_key))
        if chained and asked > CHAINED_LIMIT_S:
            raise AwsError("ValidationError", "The requested DurationSeconds "
                           "exceeds the 1 hour session limit for roles "
                           "assumed by role chaining")
        if asked > role.limit_s:
            raise AwsError("ValidationError", "The requested DurationSeconds "
                           "exceeds the MaxSessionDuration set for this role.")
        return asked if role.life_s is None else role.life_s

    def _give(self, request, role, region):
        life_s = self._duration(request, role)
        name = request.input["RoleSessionName"]
        arn = (role.arn.replace(":iam:", ":sts:")
               .replace(":role/", ":assumed-role/") + f"/{name}")
        keyring = self.keyring if role.keyring is None else role.keyring
        keys = keyring.issue(life_s, arn, self.now())
        with self._lock:
            self.sessions.append(Session(role, name, request.access_key,
                                         region, keys))
        return {"AssumedRoleUser": {"AssumedRoleId": f"AROAEXAMPLE:{name}",
                                    "Arn": arn},
                "Credentials": {"AccessKeyId": keys.key,
                                "SecretAccessKey": keys.secret,
                                "SessionToken": keys.token,
                                "Expiration": keys.end}}


def _role_behind(arn):
    """The role of a session; the ARN itself, if it is of none."""
    return re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", arn)


def _check_unsigned(request):
    """The real service may bear a signature here; whoever calls this has none
    to give, so one that comes is a mistake."""
    shown = {"authorization", "x-amz-security-token"} & set(request.headers)
    if shown:
        raise AwsError("IncompleteSignature",
                       f"{_UNSIGNED} is not signed, yet there is {shown}")


def _check_limits(request):
    """Required members, lengths, ranges and patterns of the model; of its
    members only scalars, as the others are not used here."""
    shape = _Xml.service.operation_model(request.operation).input_shape
    faults = [f"Value null at '{name}' failed to satisfy constraint: Member "
              "must not be null" for name in shape.required_members
              if name not in request.input]
    for name, value in request.input.items():
        fault = _fault(shape.members[name], value)
        if fault:
            shown = "(hidden)" if name.endswith("Token") else f"'{value}'"
            faults.append(f"Value {shown} at '{name}' failed to satisfy "
                          f"constraint: Member must {fault}")
    if faults:
        raise AwsError("ValidationError", f"{len(faults)} validation errors "
                       f"detected: {'; '.join(faults)}")


def _fault(shape, value):
    limits = shape.metadata
    size = value if isinstance(value, int) else len(value)
    what = "" if isinstance(value, int) else "have length "
    if size < limits.get("min", size):
        return f"{what}be at least {limits['min']}"
    if size > limits.get("max", size):
        return f"{what}be at most {limits['max']}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value,
                                                re.ASCII):
        return f"satisfy regular expression pattern: {limits['pattern']}"
    return None


# --- answers

class _Xml(aws_wire.Query):
    service = botocore.model.ServiceModel(
        botocore.loaders.create_loader().load_service_model(
            "sts", "service-2", api_version=VERSION), "sts")
    version = VERSION
    namespace = f"https://sts.amazonaws.com/doc/{VERSION}/"


class _Json(_Xml):
    """What STS makes of Accept: application/json; no document has it."""

    def success(self, request, output):
        name = request.operation
        shape = self.service.operation_model(name).output_shape
        tree = to_json(shape, output)
        body = json.dumps({f"{name}Response": {
            f"{name}Result": tree,
            "ResponseMetadata": {"RequestId": "0-1-2"}}})
        # As Java prints a double: 1.714449238E9.
        end = output["Credentials"]["Expiration"]
        digits = str(end)
        power = f"{digits[0]}.{digits[1:].rstrip('0') or 0}E{len(digits) - 1}"
        return self._json(200, body.replace(f'"Expiration": {digits}',
                                            f'"Expiration": {power}'))

    def failure(self, request, error):
        status = error.status or ERRORS[error.code][1]
        answer = self._json(status, json.dumps({
            "Error": {"Code": error.code, "Message": error.message,
                      "Type": "Sender" if status < 500 else "Receiver"},
            "RequestId": "0-1-2"}))
        answer.code, answer.message = error.code, error.message
        return answer

    def _json(self, status, text):
        return Answer(status, text.encode(), [
            ("x-amzn-RequestId", "0-1-2"),
            ("Content-Type", "application/json")])
