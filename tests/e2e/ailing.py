"""ailing: what the stories of bad input have in common: it is said what is wrong,
where, and what to do; the daemon goes on; and it publishes what it kept when
the input is repaired.

    daemon = scene.start(without_keys(service), uses=[imds])
    recovers(service, daemon, "the document is empty", repair=imds.rotate)
"""

import re

from scene import MINUTE, feed, named, publish

# What a document of credentials may be instead: its text, and what is said.
# {origin} is who gave it.
SECRET = "secretINdocument"
DOCUMENTS = {
    "malformed": (b'{"AccessKeyId": "AKIDX" "SecretAccessKey": "%s"}',
                  "{origin}: not readable as JSON: no valid syntax near byte "),
    "truncated": (b'{"AccessKeyId": "AKIDX", "SecretAccessKey": "%s", "Tok',
                  "{origin}: not readable as JSON: "),
    "HTML": (b"<!DOCTYPE html><html><body>%s</body></html>",
             "{origin}: the document is HTML or XML, not JSON"),
    "a list": (b'["AKIDX", "%s"]', "{origin}: the document is no JSON object"),
    "a number as the secret": (
        b'{"AccessKeyId": "AKIDX", "SecretAccessKey": 5, "Version": 1}',
        "{origin}: SecretAccessKey is not text"),
    "key without secret": (
        b'{"AccessKeyId": "AKIDX", "Token": "%s", "Version": 1}',
        "{origin}: the secret access key is missing"),
    "secret without key": (
        b'{"SecretAccessKey": "%s", "Version": 1}',
        "{origin}: the access key id is missing"),
    "line break in the session token": (
        b'{"AccessKeyId": "AKIDX", "SecretAccessKey": "%s", "Version": 1,'
        b'"Token": "%s\\n.", "SessionToken": "%s\\n."}',
        "{origin}: the session token holds a line break"),
    "line break in the secret": (
        b'{"AccessKeyId": "AKIDX", "SecretAccessKey": "%s\\nx", "Version": 1}',
        "{origin}: the secret access key holds a line break"),
    "no time": (
        b'{"AccessKeyId": "AKIDX", "SecretAccessKey": "%s", "Version": 1,'
        b'"Expiration": "soon"}',
        "{origin}: Expiration is no time from 1970 to 9999, such as 2030-"),
}


def document(label):
    """Its bytes; the scene that shows them must know SECRET."""
    return DOCUMENTS[label][0].replace(b"%s", SECRET.encode())


def complaint(label, origin):
    return DOCUMENTS[label][1].format(origin=origin)


def says(daemon, words, awaited="credentials", node="", timeout=10):
    """Waits for the line that says what is awaited, and why: the words, of
    which ... stands for any."""
    why = ".*".join(re.escape(part) for part in words.split("..."))
    return daemon.wait_for(
        rf"\[warning\] write_cloudwatch plugin: {node}{': ' if node else ''}"
        rf"waiting for {awaited}.*: .*{why}.*; the data are kept", timeout)


def refuses(service, daemon, words, awaited="credentials"):
    """It says so, sends nothing, and goes on."""
    publish(daemon, kept=1)
    says(daemon, words, awaited)
    feed(daemon, later=2)
    assert not service.requests


def is_published(service):
    """What was kept arrives. Returns the datum."""
    service.wait_datums(1, 20)
    datum = named(service.datums)["kept"]
    assert datum["Timestamp"] == MINUTE
    return datum


def recovers(service, daemon, words, repair, awaited="credentials"):
    """Likewise; what it kept is published after repair(). Returns the
    datum."""
    refuses(service, daemon, words, awaited)
    repair()
    return is_published(service)
