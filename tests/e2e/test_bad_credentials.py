"""Bad input from the services that are near: the instance's metadata and the
endpoints of containers, and from files that cannot be read.

Roles are in test_bad_roles.py, profiles and programs in test_bad_profiles.py,
regions and endpoints in test_bad_places.py, redirects, foreign hosts and
proxies in test_bad_ways.py."""

import os

import pytest

import ailing
import faults
import imds
from ailing import (complaint, document, is_published, recovers, refuses)
from scene import Scene, publish, without_keys

CREDENTIALS = imds.ROLES + "host-role"
AT = "GET " + CREDENTIALS


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        one.secrets.add(ailing.SECRET)
        yield one


def recovers_with(scene, source, words, repair, **how):
    """A daemon that has this source alone."""
    service = scene.service()
    daemon = scene.start(without_keys(service), uses=[source], **how)
    datum = recovers(service, daemon, words, repair)
    assert datum["AccessKey"] in scene.keyring
    return daemon


# ---- the instance's metadata ------------------------------------------------

@pytest.mark.parametrize("label", ailing.DOCUMENTS)
def test_document_of_the_instance(scene, label):
    metadata = scene.metadata()
    metadata.credentials = document(label)
    recovers_with(scene, metadata, complaint(label, "the instance's role "
                                             "host-role"), metadata.rotate)
    metadata.check_manners()


# Where; what is answered; what is said.
METADATA = {
    "no role": (imds.ROLES, faults.answer(404), "the instance has no role; "
                "attach an instance profile to it"),
    "page instead of the role": (
        imds.ROLES, faults.html(), "gave a role's name that cannot be one; "
        "does something else answer in its place?"),
    "500": (CREDENTIALS, faults.answer(500), AT + " with status 500: it is in "
            "trouble; it is asked again later"),
    "switched off": (imds.TOKEN, faults.answer(403), "PUT /latest/api/token "
                     "with status 403: metadata is switched off...set "
                     "HttpEndpoint=enabled"),
    "64 KiB and more": (CREDENTIALS, faults.huge(100_000),
                        AT + " with more than 65536 bytes"),
    "1 MB": (CREDENTIALS, faults.huge(), AT + " with more than 65536 bytes"),
    "2 MB": (CREDENTIALS, faults.huge(2 << 20),
             "the answer of 127.0.0.1...is longer than 1048576 bytes"),
    "token of 1 MB": (imds.TOKEN, faults.huge(),
                      "PUT /latest/api/token with more than 65536 bytes"),
    "line break in the token": (
        imds.TOKEN, faults.answer(200, f"{ailing.SECRET}\n{ailing.SECRET}"),
        "gave a token that cannot be one: it holds a line break"),
    "page instead of the token": (
        imds.TOKEN, faults.html(),
        "gave a token that cannot be one: it holds a line break"),
    "empty token": (imds.TOKEN, faults.answer(200),
                    "gave a token that cannot be one: an empty one"),
    "answer that breaks off": (CREDENTIALS, faults.half_answer(
        store=False, body=ailing.SECRET.encode()), "does not answer: no answer "
        "from 127.0.0.1"),
}


@pytest.mark.parametrize("label", METADATA)
def test_answer_of_the_metadata_service(scene, label):
    path, action, words = METADATA[label]
    metadata = scene.metadata()
    metadata.at(path, action)
    recovers_with(scene, metadata, words, lambda: metadata.at(path, None))
    metadata.check_manners()


def test_metadata_says_that_it_has_none(scene):
    metadata = scene.metadata()
    metadata.credentials = {"Code": "AssumeRoleUnauthorizedAccess",
                            "Message": "EC2 cannot assume\nthe role"}
    recovers_with(scene, metadata, "host-role: no credentials, but AssumeRole"
                  "UnauthorizedAccess: EC2 cannot assume the role",
                  metadata.rotate)


# ---- the endpoint of a container --------------------------------------------

@pytest.mark.parametrize("label", ailing.DOCUMENTS)
def test_document_of_the_container(scene, label):
    container = scene.container(token="pod-token")
    container.credentials = document(label)
    recovers_with(scene, container, complaint(
        label, f"credentials endpoint at 127.0.0.1:{container.port}"),
        container.rotate)


CONTAINER = {
    "500": (faults.answer(500), "answered with status 500"),
    "its own words": (faults.refuse("AccessDenied", "no such pod", 403),
                      "answered with status 403, AccessDenied: no such pod"),
    "1 MB": (faults.huge(), "answered with more than 65536 bytes"),
    "page": (faults.html(403), "answered with status 403"),
}


@pytest.mark.parametrize("label", CONTAINER)
def test_answer_of_the_container_endpoint(scene, label):
    action, words = CONTAINER[label]
    container = scene.container()
    container.at(container.path, action)
    recovers_with(scene, container, words,
                  lambda: container.at(container.path, None))


def test_container_endpoint_that_is_not_there(scene):
    container = scene.container()
    container.pause()
    recovers_with(scene, container, f"cannot reach 127.0.0.1:{container.port} "
                  "(Connection refused); see that its agent runs",
                  container.resume)


# What stands in the file of the token; what is said after its path.
TOKENS = {
    "line break at the end": ("pod-token\n", ": the token holds a line break"),
    "line break inside": ("pod\n-token", ": the token holds a line break"),
    "header of its own": ("pod-token\r\nHost: x", ": the token holds a line"),
    "empty": ("", " is empty"),
    "too long": ("t" * 100_000, " (it is longer than 65536 bytes)"),
}


@pytest.mark.parametrize("label", TOKENS)
def test_token_file_of_the_container(scene, label):
    text, words = TOKENS[label]
    container = scene.container(token="pod-token", token_file="pods/token")
    path = scene.folder / "daemon-0/pods/token"
    recovers_with(scene, container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "
                  f"...{path}{words}",
                  lambda: scene.daemons[0].write("pods/token", "pod-token"),
                  files={"pods/token": text})


def test_token_file_of_the_container_that_is_not_there(scene):
    container = scene.container(token="pod-token")
    path = scene.folder / "daemon-0/pods/token"
    recovers_with(
        scene, container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: there is no "
        f"file {path}", lambda: scene.daemons[0].write("pods/token",
                                                       "pod-token"),
        environment={"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(path)})


@pytest.mark.parametrize("token", ["pod\ntoken", "pod-token\r\nHost: x"])
def test_token_of_the_environment(scene, token):
    """The environment is read once: another daemon has a better one."""
    service, container = scene.service(), scene.container(token=token)
    first = scene.start(without_keys(service), uses=[container])
    refuses(service, first, "AWS_CONTAINER_AUTHORIZATION_TOKEN: the token "
            "holds a line break or another control character; write it "
            "without")
    assert not container.requests
    container.token = "pod-token"
    publish(scene.start(without_keys(service), uses=[container]), kept=1)
    is_published(service)


# ---- the environment --------------------------------------------------------

HALVES = {
    "AWS_ACCESS_KEY_ID": "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY": "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "AWS_ROLE_ARN",
}


@pytest.mark.parametrize("name", HALVES)
def test_half_of_the_environment(scene, name):
    """Nothing else is asked: not the metadata service either."""
    service, metadata = scene.service(), scene.metadata()
    daemon = scene.start(without_keys(service), uses=[metadata],
                         environment={name: ailing.SECRET})
    refuses(service, daemon, f"the environment holds {name}, but no "
            f"{HALVES[name]}; set both or neither")
    assert not metadata.requests


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN",
                                  "AWS_SECRET_ACCESS_KEY"])
def test_line_break_in_the_environment(scene, name):
    service, keys = scene.service(), scene.keyring.issue()
    environment = keys.environment()
    environment[name] += "\n"
    daemon = scene.start(without_keys(service), environment=environment)
    what = name.removeprefix("AWS_").replace("_", " ").lower()
    refuses(service, daemon, f"environment: the {what} holds a line break")


# ---- files that cannot be read ----------------------------------------------

PLAIN_ROOT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def unreadable(scene, service, name, said, awaited="credentials", **how):
    """Root, but not almighty, and a file of another: as under systemd."""
    daemon = scene.daemon(without_keys(service), wrapper=PLAIN_ROOT, **how)
    path = daemon.folder / name
    os.chown(path, 65534, 65534)
    daemon.start()
    recovers(service, daemon, f"{said} (Permission denied): ",
             lambda: os.chown(path, 0, 0), awaited)
    return daemon.log


NOBODY = ("(Permission denied): it belongs to user nobody (65534) with mode "
          "0600, and collectd runs as user root (0); the file should belong to "
          "the user that collectd runs as: root without CAP_DAC_OVERRIDE")


@pytest.mark.parametrize("name", [".aws/credentials", ".aws/config"])
def test_unreadable_shared_file(scene, name):
    keys = scene.keyring.issue()
    assert NOBODY in unreadable(
        scene, scene.service(), name, f"cannot read ...{name}", "region",
        files={name: keys.section("default")})


def test_folder_that_may_not_be_entered(scene):
    keys = scene.keyring.issue()
    (scene.folder / "daemon-0/.aws").mkdir(0o700, parents=True)
    assert "who may not enter a folder above it" in unreadable(
        scene, scene.service(), ".aws", "cannot read ...", "region",
        files={".aws/credentials": keys.section("default")})


def test_unreadable_token_file_of_the_container(scene):
    assert NOBODY in unreadable(
        scene, scene.service(), "token", "TOKEN_FILE: cannot read ...token",
        uses=[scene.container(token="pod", token_file="token")])


def test_unreadable_web_identity(scene):
    sts = scene.sts()
    sts.web_tokens["web-token"] = None
    arn = "arn:aws:iam::123456789012:role/web"
    sts.role(arn, web=True)
    assert NOBODY in unreadable(
        scene, scene.service(), "web", "web identity: cannot read ...web",
        uses=[sts], files={"web": "web-token"},
        environment={"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/web",
                     "AWS_ROLE_ARN": arn})


FILES = {
    "a folder": (None, "cannot read {path} (it is not a regular file)"),
    "more than 1 MB": ("#" * (1 << 20) + "\n\n",
                       "cannot read {path} (it is longer than 1048576 bytes)"),
}


@pytest.mark.parametrize("label", FILES)
def test_what_is_no_shared_file(scene, label):
    text, words = FILES[label]
    service, keys = scene.service(), scene.keyring.issue()
    daemon = scene.daemon(without_keys(service), files={
        ".aws/credentials/x" if text is None else ".aws/credentials":
        text or ""})
    path = daemon.folder / ".aws/credentials"
    daemon.start()

    def repair():
        if text is None:
            path.rename(path.with_name("moved"))
        daemon.write(".aws/credentials", keys.section("default"))

    recovers(service, daemon, words.format(path=path), repair, "region")
