"""The instance metadata service of EC2, version 2, for loopback.

    imds = Metadata(keyring=keyring)
    daemon = scene.start(..., uses=[imds])
    imds.rotate(life_s=600); imds.tags = {"Team": "a"}; imds.revoke_tokens()

Version 1 is not served: without a token there is no answer but 401. What
behave(), always(), at() and pause() of LoopbackService do, it does too:

    refusing   pause(), resume()
    hanging    always(faults.hang())
    hop limit  silent_put()
    status, HTML, 1 MB, redirect
               at(ROLES + "*", faults.answer(500)), faults.html(), huge() and
               redirect(); None ends it
    raw body   credentials = "{..."
"""

import json
import secrets
import time
import urllib.parse

import faults
from connection import Answer
from keyring import ACCOUNT, next_of
from loopback import LoopbackService
from network import IMDS, IMDS_6

TOKEN = "/latest/api/token"
META = "/latest/meta-data/"
ROLES = META + "iam/security-credentials/"
TAGS = META + "tags/instance"
IDENTITY = "/latest/dynamic/instance-identity/document"

_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
# What shows that a request came through a proxy, or was meant to.
_OF_PROXIES = ("via", "forwarded", "x-forwarded-for", "proxy-connection",
               "proxy-authorization")


class Metadata(LoopbackService):
    """Settable at any time, and used from the next request on:

    role         the name of the instance's role; None: it has none
    credentials  the document, or a list or function of documents (see
                 keyring.next_of): a dict, or text or bytes as they are
    tags         a dict; None: InstanceMetadataTags is not enabled
    items        path below meta-data: text; items["placement/region"] is
                 `region`, too

    keyring      where rotate() gets and makes known its credentials
    """

    def __init__(self, keyring=None, host="127.0.0.1", port=0, now=time.time,
                 role="host-role", region="eu-west-1", tags=None, log=None,
                 network=None):
        self.keyring = keyring
        self.role = role
        self.tags = tags
        self.credentials = None
        self.items = {
            "ami-id": "ami-0123456789abcdef0",
            "hostname": "ip-192-0-2-7.ec2.internal",
            "instance-id": "i-0123456789abcdef0",
            "instance-type": "t3.micro",
            "local-ipv4": "192.0.2.7",
            "services/domain": "amazonaws.com",
            "services/partition": "aws",
        }
        self.region = region
        self.secrets = set()
        self._tokens = {}  # token: end
        if keyring is not None:
            self.now = now
            self.rotate()
        super().__init__(host, port, now=now, log=log, network=network)

    @property
    def environment(self):
        """What makes a daemon use it."""
        usual = self.port == 80 and self.host in (IMDS, IMDS_6)
        if not usual:
            return {"AWS_EC2_METADATA_DISABLED": "false",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}
        mode = {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}
        return {"AWS_EC2_METADATA_DISABLED": "false",
                **(mode if self.host == IMDS_6 else {})}

    @property
    def region(self):
        return self.items["placement/region"]

    @region.setter
    def region(self, name):
        self.items["placement/region"] = name
        self.items["placement/availability-zone"] = name + "b"

    def rotate(self, life_s=6 * 3600):
        """New credentials of the role, to be had at once; returns them."""
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/i-0123"
        keys = self.keyring.issue(life_s, arn, self.now())
        self.credentials = keys.imds_document(self.now())
        return keys

    def revoke_tokens(self):
        """All session tokens are invalid from now on."""
        with self._changed:
            self._tokens.clear()

    def silent_put(self, silent=True):
        """No PUT is answered: the hop limit is too small."""
        self.at(TOKEN, faults.hang() if silent else None)

    def check_manners(self):
        """Assert that nothing but version 2 was spoken, and no proxy."""
        for request in self.requests:
            if request.method == "PUT":
                asked = request.path == TOKEN and _TTL in request.headers
            else:
                asked = "x-aws-ec2-metadata-token" in request.headers
            assert asked, f"not version 2: {request.method} {request.path}"
            shown = [name for name in _OF_PROXIES if name in request.headers]
            assert not shown, f"a proxy's header: {shown}"
            assert request.path.startswith("/"), request.path

    # --- LoopbackService

    def perform(self, request):
        path = urllib.parse.unquote(urllib.parse.urlsplit(request.path).path)
        if request.method == "PUT" and path == TOKEN:
            return self._give_token(request)
        if request.method != "GET":
            return _refuse(404)
        with self._changed:
            end = self._tokens.get(
                request.headers.get("x-aws-ec2-metadata-token"))
        if end is None or self.now() >= end:
            return _refuse(401)
        return self._get(path)

    def _give_token(self, request):
        if "x-forwarded-for" in request.headers:
            return _refuse(403)
        ttl = request.headers.get(_TTL, "")
        if not (ttl.isascii() and ttl.isdigit() and 1 <= int(ttl) <= 21600):
            return _refuse(400)
        token = secrets.token_urlsafe(40) + "=="
        with self._changed:
            self._tokens[token] = self.now() + int(ttl)
            self.secrets.add(token)
        return _text(token, [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl)])

    def _get(self, path):
        if path == IDENTITY:
            return _text(json.dumps(self._identity(), indent=2))
        if path in (TAGS, TAGS + "/") or path.startswith(TAGS + "/"):
            return self._get_tag(path[len(TAGS) + 1:])
        if path in (ROLES, ROLES[:-1]):
            return _text(self.role) if self.role else _refuse(404)
        if self.role and path == ROLES + self.role:
            return self._get_credentials()
        item = self.items.get(path.removeprefix(META).removesuffix("/"))
        if not path.startswith(META) or item is None:
            return _refuse(404)
        return _text(item)

    def _get_tag(self, name):
        tags = self.tags
        if tags is None or name and name not in tags:
            return _refuse(404)
        return _text(tags[name] if name else "\n".join(tags))

    def _get_credentials(self):
        with self._changed:
            document = next_of(self.credentials, self.now())
        if document is None:
            return _refuse(404)
        if isinstance(document, dict):
            document = json.dumps(document, indent=2)
        return _text(document)

    def _identity(self):
        return {"accountId": ACCOUNT, "architecture": "x86_64",
                "availabilityZone": self.items["placement/availability-zone"],
                "imageId": self.items["ami-id"],
                "instanceId": self.items["instance-id"],
                "instanceType": self.items["instance-type"],
                "kernelId": None, "privateIp": self.items["local-ipv4"],
                "region": self.region, "version": "2017-09-30"}


def _text(body, headers=()):
    body = body if isinstance(body, bytes) else body.encode()
    return Answer(200, body, [("Content-Type", "text/plain"),
                              ("Server", "EC2ws"), *headers])


def _refuse(status):
    return Answer(status, b"", [("Server", "EC2ws")])
