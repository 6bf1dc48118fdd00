"""Bad input from STS, and to it: answers that are none, tokens that cannot be
sent."""

import json

import pytest

import ailing
import faults
from ailing import recovers
from scene import Scene, config, without_keys

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        one.secrets.add(ailing.SECRET)
        yield one


def document(**changed):
    """An answer of STS in JSON; None takes a member out."""
    keys = {"AccessKeyId": "ASIAX", "SecretAccessKey": ailing.SECRET,
            "SessionToken": "tokenINdocument", "Expiration": 4e9, **changed}
    keys = {name: value for name, value in keys.items() if value is not None}
    return json.dumps({"AssumeRoleResponse": {"AssumeRoleResult": {
        "Credentials": keys}}})


XML = ("<AssumeRoleResponse><AssumeRoleResult><Credentials>"
       f"<AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>{ailing.SECRET}"
       "</SecretAccessKey>{}</Credentials></AssumeRoleResult>"
       "</AssumeRoleResponse>")
NOT_AWS = ", but not in the way AWS does (a proxy or a login page in between?)"
# What is answered; what is said after the address.
ANSWERS = {
    "HTML": (faults.html(), " is no answer of STS: it is HTML, or XML that has "
             "no AssumeRoleResult with Credentials"),
    "HTML as an error": (faults.html(502), " answered with status 502"
                         + NOT_AWS),
    "500": (faults.answer(500), " answered with status 500" + NOT_AWS),
    "500 of AWS": (faults.refuse("InternalFailure", status=500),
                   " answered InternalFailure [request "),
    "empty": (faults.answer(200), " is no answer of STS: it is empty"),
    "text": (faults.answer(200, "well " + ailing.SECRET),
             " is no answer of STS: it is neither JSON nor XML"),
    "garbage XML": (faults.answer(200, f"<a><b>{ailing.SECRET}<"),
                    " is no answer of STS: it is HTML, or XML that has no"),
    "XML cut off": (faults.answer(200, XML[:150]),
                    " is no answer of STS: it is HTML, or XML that has no"),
    "XML without a token": (
        faults.answer(200, XML.replace(
            "{}", "<Expiration>2999-01-01T00:00:00Z</Expiration>")),
        " holds no credentials that can be used: the session token is missing"),
    "XML without an end": (faults.answer(200, XML.replace("{}", "")),
                           " holds no credentials that can be used: Expiration is missing"),
    "XML with a line break in the token": (
        faults.answer(200, XML.replace(
            "{}", "<Expiration>2999-01-01T00:00:00Z</Expiration>"
            f"<SessionToken>{ailing.SECRET}&#10;x</SessionToken>")),
        " holds no credentials that can be used: "),
    "malformed JSON": (faults.answer(200, document() + "}"),
                       " is not readable as JSON: "),
    "JSON cut off": (faults.answer(200, document()[:-9]),
                     " is not readable as JSON: "),
    "other JSON": (faults.answer(200, "{}"),
                   " is no answer of STS: its JSON has no AssumeRoleResult"),
    "JSON with half a pair": (
        faults.answer(200, document(SecretAccessKey=None)),
        " holds no credentials that can be used: the secret access key is missing"),
    "JSON without a token": (
        faults.answer(200, document(SessionToken=None)),
        " holds no credentials that can be used: the session token is missing"),
    "JSON with a line break in the token": (
        faults.answer(200, document(SessionToken=ailing.SECRET + "\nx")),
        " holds no credentials that can be used: the session token holds a line break"),
    "1 MB": (faults.huge(), " is longer than 65536 bytes"),
    "2 MB": (faults.huge(2 << 20), " is longer than 1048576 bytes"),
    "refusal": (faults.refuse("AccessDenied", "not you"),
                " answered AccessDenied [request ...it says: not you"),
}


@pytest.mark.parametrize("label", ANSWERS)
def test_answer_of_sts(scene, label):
    action, words = ANSWERS[label]
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE)
    sts.always(action)
    daemon = scene.start(config(service, RoleArn=ROLE), uses=[sts])
    recovers(service, daemon, f"cannot assume role {ROLE} with AccessKeyId in "
             f"the configuration: ...127.0.0.1:{sts.port}{words}",
             lambda: sts.always(None))


# What stands in the file of the web identity; what is said of it.
TOKENS = {
    "line break inside": ("web\n-token", "{} holds a line break, a blank or a "
                          "control character inside the token; write the token "
                          "alone, on one line"),
    "empty": ("", "{} is empty; it is to hold the token"),
    "blank": (" \n", "{} is empty; it is to hold the token"),
    "too long": ("t" * 100_000, "cannot read {} (it is longer than "),
    "none": (None, "there is no file {}, which is to hold the token"),
}


def by_web(scene):
    """A service, STS that trusts web-token, and the environment for it."""
    sts = scene.sts()
    sts.web_tokens["web-token"] = None
    sts.role(ROLE, web=True)
    return scene.service(), sts, {
        "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}


@pytest.mark.parametrize("label", TOKENS)
def test_token_of_the_web_identity(scene, label):
    """Never sent."""
    text, words = TOKENS[label]
    service, sts, environment = by_web(scene)
    daemon = scene.start(
        without_keys(service), uses=[sts], environment=environment,
        files={} if text is None else {"token": text})

    def repair():
        assert not sts.requests
        daemon.write("token", "web-token")

    recovers(service, daemon, "web identity: " + words.format(
        daemon.folder / "token"), repair)


REFUSALS = {
    "unknown token": (None, " answered InvalidIdentityToken [request "),
    "HTML": (faults.html(), " is no answer of STS: it is HTML"),
    "500": (faults.answer(500), " answered with status 500" + NOT_AWS),
}


@pytest.mark.parametrize("label", REFUSALS)
def test_answer_to_the_web_identity(scene, label):
    action, words = REFUSALS[label]
    service, sts, environment = by_web(scene)
    sts.always(action)
    daemon = scene.start(
        without_keys(service), uses=[sts], environment=environment,
        files={"token": "web-token" if action else "another-token"})

    def repair():
        sts.always(None)
        daemon.write("token", "web-token")

    recovers(service, daemon, f"cannot assume role {ROLE} with the token in "
             f"{daemon.folder}/token: ...127.0.0.1:{sts.port}{words}", repair)
