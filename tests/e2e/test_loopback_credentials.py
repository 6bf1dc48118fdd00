"""The test services of instance metadata and of containers, judged by botocore
and the AWS command line: what these can use, and what they are told when not.

The token service is judged by test_loopback_sts.py, a network of one's own by
test_loopback_network.py, CloudWatch by test_service.py."""

import json
import time

import botocore.credentials
import botocore.exceptions
import botocore.httpsession
import botocore.session
import botocore.utils
import pytest

import faults
import imds
from imds import META, ROLES, TAGS
from judges import ask, aws_put, put, refused

# ---- instance metadata ------------------------------------------------------

def fetcher(service, timeout=5):
    return botocore.utils.InstanceMetadataFetcher(
        timeout=timeout, base_url=service.url + "/", env={})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_instance_role(scene, host):
    service, metadata = scene.service(), scene.metadata(host=host)
    found = botocore.credentials.InstanceMetadataProvider(
        fetcher(metadata)).load().get_frozen_credentials()
    assert put(service, found) == found.access_key
    metadata.check_manners()
    assert metadata.asked == ["PUT /latest/api/token", f"GET {ROLES}",
                              f"GET {ROLES}host-role"]


def test_instance_role_by_variables(scene):
    """What a daemon is told, the AWS command line understands, but for a slash
    that it needs at the end."""
    service, metadata = scene.service(), scene.metadata()
    told = {name: value + "/" if name.endswith("_ENDPOINT") else value
            for name, value in metadata.environment.items()}
    first = metadata.rotate()
    assert aws_put(scene, service, **told) == first.key
    second = metadata.rotate()
    assert aws_put(scene, service, **told) == second.key


def test_rotation_and_expiry(scene):
    """What has ended is ExpiredToken for CloudWatch, what is not known is
    InvalidClientTokenId."""
    service, metadata = scene.service(), scene.metadata()
    three = [scene.keyring.issue(3600) for _ in range(3)]

    def fetched():
        found = fetcher(metadata).retrieve_iam_role_credentials()
        return put(service, (found["access_key"], found["secret_key"],
                             found["token"]))

    metadata.credentials = [keys.imds_document(scene.now()) for keys in three]
    assert [fetched() for _ in range(4)] == [
        three[0].key, three[1].key, three[2].key, three[2].key]
    scene.keyring.expire(three[1])
    assert refused(put, service, three[1]) == ("ExpiredToken", 403)
    scene.keyring.forget(three[2])
    assert refused(put, service, three[2]) == ("InvalidClientTokenId", 403)
    metadata.credentials = lambda now: three[0].imds_document(now)
    assert fetched() == three[0].key


def test_region(scene, monkeypatch):
    metadata = scene.metadata(region="ap-southeast-2")
    for name, value in metadata.environment.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session()
    assert botocore.utils.InstanceMetadataRegionFetcher(
        base_url=metadata.url).retrieve_region() == "ap-southeast-2"
    metadata.region = "us-west-2"
    assert botocore.utils.IMDSRegionProvider(session).provide() == "us-west-2"


TTL = "x-aws-ec2-metadata-token-ttl-seconds"


@pytest.mark.parametrize("headers, status", [
    ({}, 400), ({TTL: "0"}, 400), ({TTL: "21601"}, 400), ({TTL: "1h"}, 400),
    ({TTL: "1"}, 200), ({TTL: "21600"}, 200),
    ({TTL: "60", "X-Forwarded-For": "192.0.2.1"}, 403)])
def test_token(scene, headers, status):
    answer = ask(scene.metadata(), "PUT", "/latest/api/token", headers)
    assert answer[0] == status and bool(answer[2]) == (status == 200)
    assert answer[1][TTL] == (headers[TTL] if status == 200 else None)


def test_no_answer_without_a_token(scene):
    at = [1_000_000_000.0]
    metadata = scene.metadata(now=lambda: at[0])
    path = META + "instance-id"

    def get(token):
        return ask(metadata, "GET", path, {"x-aws-ec2-metadata-token": token}
                   if token else {})[0]

    def token():
        return ask(metadata, "PUT", "/latest/api/token",
                   {TTL: "60"})[2].decode()
    first = token()
    assert [get(None), get("x"), get(first)] == [401, 401, 200]
    at[0] += 59.9
    second = token()
    assert [get(first), get(second)] == [200, 200]
    at[0] += 0.1
    assert [get(first), get(second)] == [401, 200]
    metadata.revoke_tokens()
    assert [get(second), get(token())] == [401, 200]
    with pytest.raises(AssertionError, match="not version 2"):
        metadata.check_manners()


def test_items(scene):
    metadata = scene.metadata()
    token = {"x-aws-ec2-metadata-token": ask(
        metadata, "PUT", "/latest/api/token", {TTL: "60"})[2].decode()}

    def get(path):
        status, _, body = ask(metadata, "GET", path, token)
        return body.decode() if status == 200 else status

    assert get(META + "placement/region") == "eu-west-1"
    assert get(META + "placement/availability-zone") == "eu-west-1b"
    assert [get(path) for path in (
        "/2021-01-03/meta-data/instance-id", META + "spot/instance-action",
        ROLES + "other", "/latest/api/token", TAGS, TAGS + "/Name")] == \
        [404] * 6
    metadata.tags = {"Name": "web 1", "aws:autoscaling:groupName": "web"}
    assert get(TAGS + "/") == get(TAGS) == "Name\naws:autoscaling:groupName"
    assert get(TAGS + "/aws:autoscaling:groupName") == "web"
    assert get(TAGS + "/aws%3Aautoscaling%3AgroupName") == "web"
    assert get(TAGS + "/None") == 404
    identity = json.loads(get(imds.IDENTITY))
    assert (identity["instanceId"], identity["region"]) == (
        get(META + "instance-id"), "eu-west-1")
    assert get(ROLES) == "host-role"
    metadata.role = None
    assert (get(ROLES), get(ROLES + "host-role")) == (404, 404)
    assert ask(metadata, "POST", META, token)[0] == 404


# How it is told to, and how it ends; all but the last by one step back.
AILING = {
    "refusing": lambda one: one.pause(),
    "hanging": lambda one: one.always(faults.hang()),
    "hop limit": lambda one: one.silent_put(),
    "500 for the role": lambda one: one.at(ROLES, faults.answer(500)),
    "403 for all": lambda one: one.at("*", faults.answer(403)),
    "sign-in page": lambda one: one.at(ROLES + "*", faults.html()),
    "1 MB": lambda one: one.at(ROLES + "*", faults.huge()),
    "redirect": lambda one: one.at(
        META + "*", faults.redirect("http://127.0.0.1:1/")),
    "cut off": lambda one: one.at(ROLES + "*", faults.half_answer(False)),
    "reset": lambda one: one.at("*", faults.reset()),
    "not JSON": lambda one: setattr(one, "credentials", '{"Code": "Succ'),
    "bytes": lambda one: setattr(one, "credentials", b"\xff\x00"),
    "no role": lambda one: setattr(one, "role", None),
    "error in 200": lambda one: setattr(one, "credentials", {
        "Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot "
        "assume the role"}),
}


@pytest.mark.parametrize("label", AILING)
def test_ailing_metadata(scene, label):
    """botocore gets nothing, and all when the fault has ended."""
    metadata = scene.metadata()
    AILING[label](metadata)
    begin = time.monotonic()
    assert fetcher(metadata, 0.5).retrieve_iam_role_credentials() == {}
    assert time.monotonic() - begin < 5
    assert bool(metadata.asked) == (label != "refusing")
    if label == "refusing":
        metadata.resume()
    metadata.always(None)
    for path in (imds.TOKEN, ROLES, ROLES + "*", META + "*", "*"):
        metadata.at(path, None)
    metadata.role = "host-role"
    keys = metadata.rotate()
    found = fetcher(metadata).retrieve_iam_role_credentials()
    assert found["access_key"] == keys.key


def test_answers_of_a_fault(scene):
    """What the faults that botocore shrugs off look like on the wire."""
    metadata = scene.metadata()
    metadata.at("/a", faults.huge())
    metadata.at("/b*", faults.times(2, faults.redirect("http://x/")))
    assert len(ask(metadata, "GET", "/a")[2]) == 1024 * 1024
    answers = [ask(metadata, "GET", "/b1") for _ in range(3)]
    assert [one[0] for one in answers] == [302, 302, 401]
    assert answers[0][1]["Location"] == "http://x/"
    metadata.behave([faults.html(503)])
    assert ask(metadata, "GET", "/c")[0] == 503


# ---- containers -------------------------------------------------------------

def container_fetcher(timeout=5):
    return botocore.utils.ContainerMetadataFetcher(
        botocore.httpsession.URLLib3Session(timeout=timeout),
        sleep=lambda seconds: None)


def fetch(endpoint, token=None, timeout=5):
    return container_fetcher(timeout).retrieve_full_uri(
        endpoint.url + endpoint.path,
        {"Authorization": token} if token else None)


def test_container(scene):
    service, endpoint = scene.service(), scene.container(token="one/+=")
    found = fetch(endpoint, "one/+=")
    assert put(service, (found["AccessKeyId"], found["SecretAccessKey"],
                         found["Token"])) == found["AccessKeyId"]
    endpoint.token = "two "
    for token, status in (("one/+=", 401), ("two", 401), ("Bearer two ", 401),
                          ("two ", 200), (None, 401)):
        headers = {"Authorization": token} if token else {}
        answer = ask(endpoint, "GET", endpoint.path, headers)
        assert answer[0] == status, token
    assert json.loads(answer[2]).keys() == {"code", "message"}
    with pytest.raises(botocore.exceptions.MetadataRetrievalError,
                       match='401.*"code": "AccessDenied"'):
        fetch(endpoint, "one/+=")
    endpoint.token = None
    assert fetch(endpoint) == found
    assert ask(endpoint, "GET", endpoint.path, {"Authorization": "x"})[0] == 401
    assert ask(endpoint, "GET", "/other")[0] == 404


def test_container_by_variables(scene):
    """The token in the environment."""
    service, endpoint = scene.service(), scene.container(token="a-token")
    keys = endpoint.rotate()
    assert aws_put(scene, service, **endpoint.environment) == keys.key


AILING_CONTAINER = {
    "refusing": lambda one: one.pause(),
    "hanging": lambda one: one.always(faults.hang()),
    "code and message": lambda one: one.always(
        faults.refuse("Throttled", "too often", 429)),
    "500": lambda one: one.always(faults.answer(500)),
    "sign-in page": lambda one: one.always(faults.html()),
    "1 MB": lambda one: one.always(faults.huge()),
    "redirect": lambda one: one.always(faults.redirect("http://127.0.0.1:1/")),
    "no role": lambda one: setattr(one, "credentials", None),
    "not JSON": lambda one: setattr(one, "credentials", "none"),
}


@pytest.mark.parametrize("label", AILING_CONTAINER)
def test_ailing_container(scene, label):
    endpoint = scene.container()
    AILING_CONTAINER[label](endpoint)
    with pytest.raises(botocore.exceptions.MetadataRetrievalError):
        fetch(endpoint, timeout=0.3)
    assert bool(endpoint.asked) == (label != "refusing")
    if label == "refusing":
        endpoint.resume()
    endpoint.always(None)
    keys = endpoint.rotate()
    assert fetch(endpoint)["AccessKeyId"] == keys.key
