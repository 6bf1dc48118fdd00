"""The credentials endpoint of containers (ECS, EKS Pod Identity, Greengrass),
for loopback.

    ecs = ContainerEndpoint(keyring=keyring)
    eks = ContainerEndpoint(keyring=keyring, token="x", token_file="token")
    daemon = scene.start(..., uses=[eks])
    eks.rotate(); eks.token = "y"; daemon.write("token", "y")

At 169.254.170.2, port 80 (see network.py) it is that of ECS, found by the
relative URI; anywhere else it is found by the full one. Misbehaviour: as
imds.py has it, with `path` for at().
"""

import json
import time

from connection import Answer
from keyring import ACCOUNT, next_of
from loopback import LoopbackService
from network import ECS


class ContainerEndpoint(LoopbackService):
    """Settable at any time, and used from the next request on:

    credentials  the document, or a list or function of documents (see
                 keyring.next_of): a dict, or text or bytes as they are
    token        what the header Authorization must hold, to the byte; None:
                 it may not be sent at all

    path         of the credentials
    token_file   where in the daemon's home Scene puts the first token; None:
                 the token itself stands in the environment
    keyring      where rotate() gets and makes known its credentials
    """

    def __init__(self, keyring=None, host="127.0.0.1", port=0, now=time.time,
                 path="/v1/credentials", token=None, token_file=None,
                 role="task-role", log=None, network=None):
        self.keyring = keyring
        self.path = path
        self.role = role
        self.credentials = None
        self._token_file = token_file
        self._tokens = []
        self.token = token
        if keyring is not None:
            self.rotate()
        super().__init__(host, port, now=now, log=log, network=network)

    @property
    def token(self):
        return self._tokens[-1]

    @token.setter
    def token(self, token):
        self._tokens.append(token)

    @property
    def secrets(self):
        """All its tokens."""
        return {token.strip() for token in self._tokens if token}

    @property
    def environment(self):
        """What makes a daemon use it."""
        if (self.host, self.port) == (ECS, 80):
            found = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": self.path}
        else:
            found = {"AWS_CONTAINER_CREDENTIALS_FULL_URI":
                     self.url + self.path}
        if self._token_file is not None:
            found["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = (
                "{home}/" + self._token_file)
        elif self.token is not None:
            found["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.token
        return found

    @property
    def files(self):
        """What it puts into a daemon's home."""
        if self._token_file is None or self.token is None:
            return {}
        return {self._token_file: self.token}

    def rotate(self, life_s=6 * 3600):
        """New credentials of the role, to be had at once; returns them."""
        keys = self.keyring.issue(
            life_s, f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/task")
        self.credentials = keys.document(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{self.role}")
        return keys

    def refusal(self, request, code, message=None, status=None):
        """The Answer that refuses a request."""
        body = json.dumps({"code": code, "message": message or code})
        return Answer(status or 400, body.encode(),
                      [("Content-Type", "application/json")],
                      code=code, message=message)

    # --- LoopbackService

    def perform(self, request):
        if request.method != "GET" or request.path != self.path:
            return self.refusal(request, "ResourceNotFound",
                                "There are no credentials here", 404)
        # Not from `headers`, whose values are stripped.
        given = [value for name, value in request.header_list
                 if name.lower() == "authorization"]
        if given != ([] if self.token is None else [self.token]):
            return self.refusal(request, "AccessDenied",
                                "The authorization token is not valid", 401)
        with self._changed:
            document = next_of(self.credentials, self.now())
        if document is None:
            return self.refusal(request, "CredentialsNotFound",
                                "The task has no role", 404)
        if isinstance(document, dict):
            document = json.dumps(document)
        if isinstance(document, str):
            document = document.encode()
        return Answer(200, document, [("Content-Type", "application/json")])
