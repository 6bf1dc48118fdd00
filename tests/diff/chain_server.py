"""The services that give credentials, for chain_*: STS, instance metadata and
container endpoints, in a network of their own, so that they sit at the very
addresses that the SDKs ask.

What they answer depends on nothing but the question, so that three clients who
ask the same get the same: the keys of a role are made of the action, the role,
the external id, the session's name ("made" unless it begins with "given"), the
duration, and the caller's access key with its token. Whoever assumed another
role, in another order, or with other parameters, has another access key.

    chain_server.py READY SECONDS

writes the file READY when all listen, and ends after SECONDS.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import socket
import socketserver
import sys
import threading
import urllib.parse

END = "2099-01-01T00:00:00Z"

STS = ("127.0.0.1", 4101)

# Instance metadata: where, and what is wrong with it.
INSTANCES = {
    ("169.254.169.254", 80): "",
    ("fd00:ec2::254", 80): "",
    ("127.0.0.1", 4110): "",
    ("127.0.0.1", 4111): "no role",
    ("127.0.0.1", 4112): "broken",
    ("127.0.0.1", 4113): "assume failed",
}
INSTANCE_REGION = "eu-north-1"

CONTAINERS = [
    ("169.254.170.2", 80),
    ("169.254.170.23", 80),
    ("fd00:ec2::23", 80),
    ("127.0.0.1", 4120),
]


def keys(text):
    """(access key, secret, session token) made of a text that says whose they
    are; the token holds that text, to be read when a comparison fails."""
    digest = hashlib.sha256(text.encode()).digest()
    return ("ASIA" + base64.b32encode(digest).decode()[:16],
            base64.b64encode(digest).decode()[:40],
            f"{text};{digest.hex()[:8]}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one segment

    def log_message(self, *arguments):
        pass

    def answer(self, status, body="", kind="text/plain"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer_json(self, document, status=200):
        self.answer(status, json.dumps(document), "application/json")

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        self.answer(404)

    do_PUT = do_POST = do_GET


# --- instance metadata

META = "/latest/meta-data/"
ROLES = META + "iam/security-credentials/"


class Instance(Handler):
    def do_PUT(self):
        self.read_body()
        if self.path != "/latest/api/token":
            return self.answer(404)
        return self.answer(200, f"token-of-{self.server.where}")

    def do_GET(self):
        given = self.headers.get("x-aws-ec2-metadata-token")
        fault = self.server.fault
        if given != f"token-of-{self.server.where}":
            return self.answer(401)
        if self.path == META + "placement/region":
            return self.answer(200, INSTANCE_REGION)
        if self.path in (ROLES, ROLES[:-1]):
            return self.answer(404) if fault == "no role" else self.answer(
                200, "host-role")
        if self.path == ROLES + "host-role":
            if fault == "broken":
                return self.answer(500, "<html>broken</html>")
            if fault == "assume failed":
                return self.answer_json({
                    "Code": "AssumeRoleUnauthorizedAccess",
                    "Message": "EC2 cannot assume the role host-role"})
            key, secret, token = keys(f"instance;{self.server.where}")
            return self.answer_json({
                "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z",
                "Type": "AWS-HMAC", "AccessKeyId": key,
                "SecretAccessKey": secret, "Token": token, "Expiration": END})
        return self.answer(404)


# --- containers

class Container(Handler):
    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/denied"):
            return self.answer_json({"code": "AccessDenied",
                                     "message": "no role for you"}, 400)
        if path.startswith("/html"):
            return self.answer(200, "<html>hello</html>", "text/html")
        if not path.startswith("/creds"):
            return self.answer_json({"code": "NotFound", "message": "-"}, 404)
        shown = self.headers.get("Authorization", "none")
        key, secret, token = keys(
            f"container;{self.server.where};{self.path};{shown}")
        return self.answer_json({
            "RoleArn": "arn:aws:iam::123456789012:role/task",
            "AccessKeyId": key, "SecretAccessKey": secret, "Token": token,
            "Expiration": END})


# --- STS

class TokenService(Handler):
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.read_body().decode()))
        action, role = form.get("Action"), form.get("RoleArn", "")
        name = form.get("RoleSessionName", "")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII):
            return self.refuse("ValidationError", "RoleSessionName")
        if "denied" in role or len(role) < 20:
            return self.refuse("AccessDenied", "is not authorized to perform")
        duration = form.get("DurationSeconds", "3600")
        if not duration.isdigit() or not 900 <= int(duration) <= 43200:
            return self.refuse("ValidationError", "DurationSeconds")
        if action == "AssumeRole":
            found = re.search("Credential=([^/]*)/",
                              self.headers.get("Authorization", ""))
            if not found:
                return self.refuse("MissingAuthenticationToken", "unsigned")
            token = self.headers.get("X-Amz-Security-Token", "")
            caller = found[1] + (
                "+" + hashlib.sha256(token.encode()).hexdigest()[:6]
                if token else "")
        elif action == "AssumeRoleWithWebIdentity":
            if not form["WebIdentityToken"].startswith("web-"):
                return self.refuse("InvalidIdentityToken", "unknown")
            caller = form["WebIdentityToken"]
        else:
            return self.refuse("InvalidAction", "-")
        who = ";".join([action, role, form.get("ExternalId", "-"),
                        name if name.startswith("given") else "made",
                        duration, caller])
        return self.give(action, name, who)

    def give(self, action, name, who):
        key, secret, token = keys(who)
        arn = f"arn:aws:sts::123456789012:assumed-role/x/{name}"
        if self.headers.get("Accept") == "application/json":
            return self.answer_json({f"{action}Response": {
                f"{action}Result": {
                    "AssumedRoleUser": {"AssumedRoleId": f"AROA:{name}",
                                        "Arn": arn},
                    "Credentials": {"AccessKeyId": key,
                                    "SecretAccessKey": secret,
                                    "SessionToken": token,
                                    "Expiration": 4.0709088E9}},
                "ResponseMetadata": {"RequestId": "0-1-2"}}})
        return self.answer(200, f"""<{action}Response \
xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser><AssumedRoleId>AROA:{name}</AssumedRoleId>\
<Arn>{arn}</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>{key}</AccessKeyId>\
<SecretAccessKey>{secret}</SecretAccessKey>\
<SessionToken>{token}</SessionToken>\
<Expiration>{END}</Expiration></Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>0-1-2</RequestId></ResponseMetadata>
</{action}Response>""", "text/xml")

    def refuse(self, code, message):
        return self.answer(400, f"""<ErrorResponse \
xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>\
<Code>{code}</Code><Message>{message}</Message></Error>\
<RequestId>0-1-2</RequestId></ErrorResponse>""", "text/xml")


# --- all of them

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, where, handler, fault=""):
        self.address_family = (socket.AF_INET6 if ":" in where[0]
                               else socket.AF_INET)
        self.where = f"{where[0]}-{where[1]}"
        self.fault = fault
        super().__init__(where, handler)

    def server_bind(self):  # without the look-up of a host name
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request, address):
        pass  # a client that left


def main():
    ready, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    servers = [Server(STS, TokenService)]
    servers += [Server(where, Instance, fault)
                for where, fault in INSTANCES.items()]
    servers += [Server(where, Container) for where in CONTAINERS]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ready.write_text("ready\n")
    threading.Event().wait(seconds)


if __name__ == "__main__":
    main()
