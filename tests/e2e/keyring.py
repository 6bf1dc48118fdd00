"""Sets of credentials, and who knows them.

A keyring is what Service and TokenService look access keys up in. Sources of
credentials (imds, containers, sts) put in it what they give out, so that what
is signed with it verifies until it ends:

    keyring = Keyring(now=clock.now)
    service = Service(credentials=keyring, now=clock.now)
    keys = keyring.issue(life_s=900)

It is a dict of access key: (secret, token or None, end or None).
"""

import base64
import random
import secrets
import threading
import time
import typing

ACCOUNT = "123456789012"


class Keys(typing.NamedTuple):
    """One set of credentials; times in seconds since 1970, or None."""

    key: str
    secret: str
    token: str = None
    end: float = None

    def environment(self):
        """The variables that hold it."""
        return {"AWS_ACCESS_KEY_ID": self.key,
                "AWS_SECRET_ACCESS_KEY": self.secret,
                **({"AWS_SESSION_TOKEN": self.token} if self.token else {})}

    def section(self, name):
        """A section of a credentials file: [name]; or, with a name such as
        "profile x", of a config file."""
        text = (f"[{name}]\naws_access_key_id = {self.key}\n"
                f"aws_secret_access_key = {self.secret}\n")
        return text + (f"aws_session_token = {self.token}\n"
                       if self.token else "")

    def document(self, **more):
        """As a container endpoint gives it; more members may be added."""
        return {"AccessKeyId": self.key, "SecretAccessKey": self.secret,
                "Token": self.token, "Expiration": stamp(self.end), **more}

    def imds_document(self, now):
        """As the instance metadata service gives it."""
        return {"Code": "Success", "LastUpdated": stamp(now),
                "Type": "AWS-HMAC", **self.document()}

    def process_document(self):
        """As a credential_process prints it."""
        document = {"Version": 1, "AccessKeyId": self.key,
                    "SecretAccessKey": self.secret}
        if self.token:
            document["SessionToken"] = self.token
        if self.end is not None:
            document["Expiration"] = stamp(self.end)
        return document


class Keyring(dict):
    """Access keys that are known. now: the clock that ends are measured by."""

    def __init__(self, *arguments, now=time.time):
        super().__init__(*arguments)
        self.now = now
        self.arns = {}  # access key: whose it is
        self.secrets = set()  # all that were ever given out
        self._lock = threading.Lock()

    def add(self, keys, arn=None):
        """Make known a set of credentials, and of whom."""
        with self._lock:
            self[keys.key] = (keys.secret, keys.token, keys.end)
            self.arns[keys.key] = arn or user_arn(keys.key)
            self.secrets |= {keys.secret, keys.token} - {None}
        return keys

    def issue(self, life_s=3600, arn=None, now=None):
        """Make up a set and make it known; life_s None: a user's, without a
        token, for ever. now: where another clock than ours tells the end."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        kind = "AKIA" if life_s is None else "ASIA"
        name = kind + "".join(random.choices(letters, k=16))
        secret = base64.b64encode(secrets.token_bytes(30)).decode()
        if life_s is None:
            return self.add(Keys(name, secret), arn)
        # With + and / in it, and = at its end.
        token = "IQoJ+/" + base64.b64encode(secrets.token_bytes(256)).decode()
        now = self.now() if now is None else now
        return self.add(Keys(name, secret, token, int(now + life_s)), arn)

    def expire(self, keys):
        """Known still, but at its end."""
        self.add(keys._replace(end=self.now()), self.arns.get(keys.key))

    def forget(self, keys):
        """Unknown from now on."""
        self.pop(keys.key, None)


def user_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def stamp(seconds):
    """ISO 8601, or None for None."""
    return seconds if seconds is None else time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def next_of(supply, now):
    """What is to be given out: supply is one thing, or a list whose last one
    stays, or a function of the time."""
    if callable(supply):
        return supply(now)
    if isinstance(supply, list):
        return supply.pop(0) if len(supply) > 1 else supply[0]
    return supply
