#!/usr/bin/python3
"""The judge of our signatures: botocore, with its clock replaced.

  sigv4_oracle.py compare [FILE]   reads what diff_sigv4 wrote (one JSON object
                                   a line) and compares each text; ends with 1
                                   at any difference, or when there was none
                                   to compare
  sigv4_oracle.py vectors DIR...   writes canonical, to-sign and authorization
                                   beside the request in each folder
  sigv4_oracle.py check DIR...     compares these instead of writing them
"""
import datetime
import json
import os
import sys

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SHOWN = 3  # differences in full


class Clock:
    """Stands in for the module datetime inside botocore.auth."""

    def __init__(self):
        self.now = None
        self.datetime = self

    def utcnow(self):
        return self.now

    def strptime(self, text, form):
        return datetime.datetime.strptime(text, form)


CLOCK = Clock()
botocore.auth.datetime = CLOCK


def sign(request):
    """What botocore makes of a request, as a dict of texts."""
    epoch = datetime.datetime(1970, 1, 1)
    CLOCK.now = epoch + datetime.timedelta(seconds=request["time"])
    # The host that counts is the header's; the URL's is not looked at.
    url = "https://host.invalid" + request["path"]
    if request["query"]:
        url += "?" + request["query"]
    aws = AWSRequest(request["method"], url, data=request["body"])
    for name, value in request["headers"]:
        aws.headers[name] = value
    cred = Credentials(request["key_id"], request["secret"],
                       request["token"] or None)
    auth = SigV4Auth(cred, request["service"], request["region"])
    auth.add_auth(aws)

    date = aws.headers["X-Amz-Date"]
    token = aws.headers.get("X-Amz-Security-Token", "")
    authorization = aws.headers["Authorization"]
    # add_auth() leaves the request as it signed it, but for the header that
    # it added.
    del aws.headers["Authorization"]
    canonical = auth.canonical_request(aws)
    return {"date": date, "token_sent": token, "canonical": canonical,
            "to_sign": auth.string_to_sign(aws, canonical),
            "authorization": authorization}


def show(n, key, ours, theirs, seed):
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
              min(len(ours), len(theirs)))
    print(f"request {n} (seed {seed}): {key} differs at character {at}")
    print(f"  ours:     {ours!r}")
    print(f"  botocore: {theirs!r}")


def compare(lines):
    n = bad = 0
    seed = None
    for line in lines:
        request = json.loads(line)
        seed = request["seed"]
        request["body"] = bytes.fromhex(request["body_hex"])
        theirs = sign(request)
        different = [k for k in theirs if request[k] != theirs[k]]
        for key in different if bad < SHOWN else []:
            show(n, key, request[key], theirs[key], seed)
        bad += bool(different)
        n += 1
    if n == 0:
        print("diff_sigv4: nothing was compared")
        return 1
    if bad:
        print(f"diff_sigv4: {bad} of {n} requests differ (seed {seed})")
        return 1
    print(f"diff_sigv4: {n} requests equal (seed {seed})")
    return 0


def read_request(path):
    """A vector's request: settings, a blank line, the request line and
    headers, a blank line, the body to the last byte."""
    with open(path, "rb") as file:
        settings, head, body = file.read().split(b"\n\n", 2)
    request = {"token": "", "body": body}
    for line in settings.decode().split("\n"):
        name, _, value = line.partition(" ")
        request[name] = value
    request["time"] = int(request["time"])
    first, *headers = head.decode().split("\n")
    request["method"], _, target = first.partition(" ")
    request["path"], _, request["query"] = target.partition("?")
    request["headers"] = [tuple(h.split(":", 1)) for h in headers]
    return request


FILES = {"canonical": "canonical", "to_sign": "to-sign",
         "authorization": "authorization"}


def vectors(folders, write):
    bad = 0
    for folder in folders:
        texts = sign(read_request(os.path.join(folder, "request")))
        for key, name in FILES.items():
            path = os.path.join(folder, name)
            if write:
                with open(path, "wb") as file:
                    file.write(texts[key].encode())
                continue
            with open(path, "rb") as file:
                if file.read() != texts[key].encode():
                    print(f"{path}: botocore says something else")
                    bad += 1
    return 1 if bad or not folders else 0


def main(args):
    if args[:1] == ["compare"] and len(args) <= 2:
        if len(args) == 2:
            with open(args[1], encoding="utf-8") as file:
                return compare(file)
        return compare(sys.stdin)
    if args[:1] in (["vectors"], ["check"]):
        return vectors(args[1:], args[0] == "vectors")
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
