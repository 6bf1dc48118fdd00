"""Where requests for credentials never go: through a proxy, after a redirect,
to a host that is not near."""

import pytest

import faults
import imds
import network
from ailing import recovers, refuses
from network import Network
from scene import REGION, Scene, config, node, publish, without_keys

# ---- redirects --------------------------------------------------------------

STATUSES = [301, 307]
REDIRECTED = {"token": imds.TOKEN, "role": imds.ROLES,
              "credentials": imds.ROLES + "host-role"}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("label", REDIRECTED)
def test_redirect_of_the_metadata_service(scene, label, status):
    service, metadata = scene.service(), scene.metadata()
    elsewhere, path = scene.metadata(), REDIRECTED[label]
    metadata.at(path, faults.redirect(elsewhere.url + path, status))
    daemon = scene.start(without_keys(service), uses=[metadata])
    recovers(service, daemon, f"{path} with status {status}: a redirect, which "
             "is never followed", lambda: metadata.at(path, None))
    assert not elsewhere.requests


@pytest.mark.parametrize("status", STATUSES)
def test_redirect_of_the_container_endpoint(scene, status):
    service, container = scene.service(), scene.container(token="pod-token")
    elsewhere = scene.container()
    container.at(container.path, faults.redirect(
        elsewhere.url + elsewhere.path, status))
    daemon = scene.start(without_keys(service), uses=[container])
    recovers(service, daemon, f"answered with a redirect ({status}), which is "
             "never followed", lambda: container.at(container.path, None))
    assert not elsewhere.requests


ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("by_web", [False, True])
def test_redirect_of_sts(scene, by_web, status):
    service, sts, elsewhere = scene.service(), scene.sts(), scene.sts()
    for one in (sts, elsewhere):
        one.role(ROLE, web=True)
        one.web_tokens["web-token"] = None
    sts.always(faults.redirect(elsewhere.url, status))
    web = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}
    daemon = scene.start(
        without_keys(service) if by_web else config(service, RoleArn=ROLE),
        uses=[sts], environment=web if by_web else {},
        files={"token": "web-token"})
    recovers(service, daemon, f"cannot assume role {ROLE}...127.0.0.1:"
             f"{sts.port} answered with status {status}, but not in the way "
             "AWS does", lambda: sts.always(None))
    assert not elsewhere.requests


# ---- foreign hosts ----------------------------------------------------------

STRANGER = "192.0.2.1"
# Of the URI that a container is told; in this network the stranger's address
# is there, as is that of the instance's metadata, and somebody would answer.
FOREIGN = {
    "stranger": (f"http://{STRANGER}/v1/credentials", f'not to "{STRANGER}"'),
    "metadata of instances": (f"http://{network.IMDS}/v1/credentials",
                              f'not to "{network.IMDS}"'),
    "near ECS": ("http://169.254.170.3/", 'not to "169.254.170.3"'),
    "name that begins well": ("http://169.254.170.2.example/", "not to "
                              '"169.254.170.2.example"'),
    "name that looks like us": ("http://localhost.example/",
                                'not to "localhost.example"'),
    "user": (f"http://127.0.0.1@{STRANGER}/", "the URL must not hold a user"),
    "blank": (f"http://127.0.0.1/ HTTP/1.1\r\nHost: {STRANGER}",
              "holds a blank or a control character: take it out"),
    "path that is a host": (None, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is "
                            'no path: it must begin with "/"'),
}


@pytest.mark.parametrize("label", FOREIGN)
def test_foreign_host_of_a_container(tmp_path, label):
    url, words = FOREIGN[label]
    addresses = (network.ECS, network.IMDS, STRANGER, "169.254.170.3")
    with Scene(tmp_path, network=Network(addresses)) as scene:
        service = scene.service()
        traps = [scene.container(host=host, port=80) for host in addresses[1:]]
        scene.secrets.add("pod-token")
        daemon = scene.start(without_keys(service), environment={
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI":
                None if url else ".example/x",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
        refuses(service, daemon, words)
        # Not even a connection: theirs are numbered from 1.
        assert [next(trap.connections) for trap in traps] == [1, 1, 1]
        ecs = scene.container(host=network.ECS, port=80)
        publish(scene.start(without_keys(service), uses=[ecs]), kept=1)
        service.wait_datums(1, 10)


# ---- proxies ----------------------------------------------------------------

SOURCES = {
    "IMDS": lambda scene: scene.metadata(host=network.IMDS, port=80),
    "IMDS by IPv6": lambda scene: scene.metadata(host=network.IMDS_6, port=80),
    "IMDS elsewhere": lambda scene: scene.metadata(),
    "ECS": lambda scene: scene.container(host=network.ECS, port=80),
    "EKS": lambda scene: scene.container(host=network.EKS, port=80,
                                         token="pod", token_file="token"),
    "EKS by IPv6": lambda scene: scene.container(host=network.EKS_6, port=80,
                                                 token="pod"),
    "container here": lambda scene: scene.container(),
}
VARIABLES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
             "ALL_PROXY")
BY_HTTPS = {f"CONNECT {service}.{REGION}.amazonaws.com:443 HTTP/1.1"
            for service in ("monitoring", "sts")}


@pytest.mark.parametrize("label", SOURCES)
@pytest.mark.parametrize("by", ["variables", "option"])
def test_metadata_never_goes_through_a_proxy(island, label, by):
    """CloudWatch and STS do: one node has a role, the other has none."""
    proxy, source = island.proxy(), SOURCES[label](island)
    variables = dict.fromkeys(VARIABLES, proxy.url) if by == "variables" else {}
    daemon = island.start(
        without_keys(None, node("a", None), node("b", None, RoleArn=ROLE),
                     Proxy=proxy.url if by == "option" else None),
        uses=[source], environment=variables)
    publish(daemon, kept=1)
    proxy.wait(2, 10)
    assert source.requests
    for request in source.requests:
        assert request.path.startswith("/") and not {
            "via", "proxy-connection"} & set(request.headers)
    daemon.stop()
    assert set(proxy.asked) == BY_HTTPS


def test_region_never_goes_through_a_proxy(island):
    """Likewise where only the region comes from the instance."""
    proxy, metadata = island.proxy(), island.metadata(host=network.IMDS,
                                                      port=80)
    daemon = island.start(config(None, Region=None, Proxy=proxy.url),
                          uses=[metadata])
    publish(daemon, kept=1)
    proxy.wait(1, 10)
    daemon.stop()
    assert set(proxy.asked) == {
        f"CONNECT monitoring.{REGION}.amazonaws.com:443 HTTP/1.1"}
    metadata.check_manners()


def test_publishing_through_a_proxy(scene):
    """What is meant for one gets there: the data, signed with credentials that
    did not."""
    service, metadata = scene.service(), scene.metadata()
    proxy = scene.proxy(service)
    daemon = scene.start(without_keys(service), uses=[metadata], environment={
        "http_proxy": proxy.url})
    publish(daemon, kept=1)
    assert service.wait_datums(1, 10)[0]["AccessKey"] in scene.keyring
    assert proxy.asked == [f"POST {service.url}/ HTTP/1.1"]
    metadata.check_manners()
