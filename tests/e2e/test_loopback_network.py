"""The places of a test: a network of its own with the addresses of AWS, scaled
time, and what a daemon finds there."""

import http.client
import json
import os
import subprocess

import pytest

import imds
import network
from judges import ask, aws_put, put, refused
from network import Network
from scene import Scene, config, publish
from times import FastClock

# ---- a network of its own ---------------------------------------------------

@pytest.mark.parametrize("host", [network.IMDS, network.IMDS_6])
def test_default_address_of_metadata(island, host):
    service = island.service()
    metadata = island.metadata(host=host, port=80)
    assert not any("169.254" in value or "fd00" in value
                   for value in metadata.environment.values())
    assert aws_put(island, service, **metadata.environment) in island.keyring
    metadata.check_manners()


def test_default_address_of_ecs(island):
    service = island.service()
    endpoint = island.container(host=network.ECS, port=80, path="/v2/x-y")
    assert endpoint.environment == {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x-y"}
    assert aws_put(island, service, **endpoint.environment) in island.keyring


def test_default_address_of_eks(island):
    """This botocore does not know it, curl goes everywhere."""
    endpoint = island.container(host=(network.EKS, network.EKS_6), port=80,
                                token="pod", token_file="pods/token")
    assert endpoint.environment == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI":
            "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/pods/token"}
    for url in endpoint.urls:
        done = subprocess.run(
            [*island.network.wrapper, "curl", "-sS", "-H",
             "Authorization: pod", url + endpoint.path],
            capture_output=True, text=True, timeout=10)
        assert json.loads(done.stdout)["AccessKeyId"] in island.keyring


def test_nothing_leads_out_of_the_network(island):
    inside = subprocess.run(
        [*island.network.wrapper, "ip", "-brief", "address"],
        capture_output=True, text=True, timeout=10).stdout
    assert inside.split()[0] == "lo" and len(inside.splitlines()) == 1
    with pytest.raises(ValueError, match="not a loopback address"):
        island.metadata(host="192.0.2.1")
    with pytest.raises(OSError):  # not ours: another network's
        http.client.HTTPConnection(network.ECS, island.container(
            host=network.ECS).port, timeout=0.3).connect()


# ---- the daemon in all of it ------------------------------------------------

def environment_of(daemon):
    with open(f"/proc/{daemon.pid}/environ", encoding="utf-8") as file:
        return dict(line.split("=", 1)
                    for line in file.read().split("\0") if "=" in line)


def test_daemon_on_an_island(island):
    """It gets there, with all that the services ask for."""
    service = island.service()
    endpoint = island.container(host=network.EKS, port=80, token="pod",
                                token_file="pods/token")
    daemon = island.start(config(service), uses=[endpoint, island.sts()],
                          environment={"X": "{home}/x", "HOME": None})
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    seen = environment_of(daemon)
    assert seen["X"] == f"{daemon.folder}/x" and "HOME" not in seen
    token = daemon.folder / "pods/token"
    assert seen["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == str(token)
    assert token.read_text() == "pod" and "AWS_ENDPOINT_URL_STS" in seen
    daemon.write("pods/token", "new")
    assert token.read_text() == "new"


def test_daemon_as_another_user(scene):
    service, keys = scene.service(), scene.keyring.issue()
    daemon = scene.start(
        config(service, AccessKeyId=None, SecretAccessKey=None),
        user="nobody", files={".aws/credentials": keys.section("default"),
                              "run": "#!/bin/sh\n"})
    publish(daemon, load=1)
    assert service.wait_datums(1, 10)[0]["AccessKey"] == keys.key
    of = os.stat(f"/proc/{daemon.pid}")
    file = os.stat(daemon.folder / ".aws/credentials")
    assert of.st_uid == file.st_uid == 65534 and file.st_mode & 0o777 == 0o600
    assert os.access(daemon.folder / "run", os.X_OK)


def session_token(metadata):
    return ask(metadata, "PUT", imds.TOKEN,
               {"x-aws-ec2-metadata-token-ttl-seconds": "60"})[2].decode()


SECRETS = {
    "issued": lambda scene: scene.keyring.issue().token,
    "metadata session": lambda scene: session_token(scene.metadata()),
    "container": lambda scene: scene.container(token="pod-token").token,
    "web identity": lambda scene: scene.sts().web_tokens.setdefault(
        "web-token") or "web-token",
}


@pytest.mark.parametrize("label", SECRETS)
def test_secret_in_a_file_of_the_daemon(tmp_path, label):
    """The scene sees it at its end."""
    with pytest.raises(AssertionError, match="is in .*status"):
        with Scene(tmp_path) as scene:
            secret = SECRETS[label](scene)
            daemon = scene.start(config(scene.service()))
            (daemon.folder / "status").write_text(f"x{secret}x")


def test_secret_in_the_arguments_of_a_child(tmp_path):
    """Likewise, though its life is short."""
    with pytest.raises(AssertionError, match="is in /proc/.*cmdline"):
        with Scene(tmp_path) as scene:
            keys = scene.keyring.issue()
            daemon = scene.start(
                config(scene.service(), AccessKeyId=None, SecretAccessKey=None),
                files={".aws/config": "[default]\ncredential_process = {home}/"
                       f"run {keys.secret}\n",
                       "run": "#!/bin/sh\nsleep 0.2\n"})
            daemon.wait_for("credential_process .*printed nothing")


def test_fast_daemon_on_an_island(tmp_path):
    """All at once: an hour a minute, and an address of AWS."""
    clock = FastClock(1_700_000_000, 60)
    with Scene(tmp_path, network=Network(), clock=clock) as scene:
        service = scene.service()
        scene.metadata(host=network.IMDS, port=80)
        daemon = scene.start(config(service, **FastClock.LONG))
        at = (clock.start - 600) // 60 * 60
        publish(daemon, at=at, load=1)
        assert service.wait_datums(1, 10)[0]["Timestamp"] == at
        assert 0 < service.requests[0].time - clock.start < 3600


# ---- time -------------------------------------------------------------------

def test_time_runs_as_the_clock_does(tmp_path):
    """An hour in a second, for everyone."""
    clock = FastClock(1_700_000_000, 3600)
    with Scene(tmp_path, clock=clock) as scene:
        service, metadata = scene.service(skew_s=1e9), scene.metadata()
        keys = metadata.rotate(life_s=3600)
        assert keys.end - clock.start < 3610 * 2
        assert put(service, keys, service.now()) == keys.key
        clock.sleep_until(keys.end + 60)
        assert refused(put, service, keys, service.now()) == (
            "ExpiredToken", 403)
