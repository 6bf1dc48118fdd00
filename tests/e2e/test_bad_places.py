"""Regions and endpoints that cannot be: nothing is sent, nor asked of STS, to a
host that somebody slipped in."""

import pytest

import imds
from ailing import is_published, recovers, refuses, says
from scene import (KEY, REGION, SECRET, Scene, config, node, publish,
                   without_keys)

ROLE = "arn:aws:iam::123456789012:role/r"

FOREIGN = ["evil.example/", "us-east-1.evil.example", "us-east-1@evil.example",
           "us-east-1#", "-x", "us east 1", "e" * 64]


def asks_nobody(proxy, daemon, words):
    """All that left the daemon would go through this proxy."""
    publish(daemon, kept=1)
    says(daemon, words, "region")
    assert not proxy.asked


def asks_aws(proxy):
    lines = proxy.wait(1, 20)
    assert lines[0] == f"CONNECT monitoring.{REGION}.amazonaws.com:443 HTTP/1.1"


# ---- regions ----------------------------------------------------------------

@pytest.mark.parametrize("name, region", [
    *(("AWS_REGION", region) for region in FOREIGN),
    ("AWS_DEFAULT_REGION", FOREIGN[0])])
def test_region_of_the_environment(scene, name, region):
    """The environment is read once: another daemon has a better one."""
    proxy = scene.proxy()
    daemon = scene.start(config(None, Region=None, Proxy=proxy.url),
                         environment={name: region})
    asks_nobody(proxy, daemon, f'{name}: "{region}" is not a region (letters, '
                "digits and hyphens)")
    publish(scene.start(config(None, Region=None, Proxy=proxy.url),
                        environment={name: REGION}), kept=1)
    asks_aws(proxy)


@pytest.mark.parametrize("region", FOREIGN[:3])
def test_region_of_a_profile(scene, region):
    proxy = scene.proxy()
    daemon = scene.start(config(None, Region=None, Proxy=proxy.url), files={
        ".aws/config": f"[default]\nregion = {region}\n"})
    asks_nobody(proxy, daemon, f'region of the profile: "{region}" is not a '
                "region")
    daemon.write(".aws/config", f"[default]\nregion = {REGION}\n")
    asks_aws(proxy)


@pytest.mark.parametrize("region", [*FOREIGN[:3], "<html>", ""])
def test_region_of_the_instance(scene, region):
    """What a stranger may have answered is not repeated."""
    proxy, metadata = scene.proxy(), scene.metadata(region=region)
    daemon = scene.start(config(None, Region=None, Proxy=proxy.url),
                         uses=[metadata])
    asks_nobody(proxy, daemon, "no region found: no Region in the "
                'configuration, ...write Region "us-east-1", for example (the '
                "instance metadata service answered what cannot be a region)")
    assert not region or region not in daemon.log
    metadata.region = REGION
    asks_aws(proxy)


def test_region_of_nobody(scene):
    """Nor is one made up where the metadata service is not there at all."""
    proxy, metadata = scene.proxy(), scene.metadata()
    metadata.at(imds.META + "placement/region", lambda handler, request: (
        handler.hang_up() or True))
    daemon = scene.start(config(None, Region=None, Proxy=proxy.url),
                         uses=[metadata])
    asks_nobody(proxy, daemon, "the instance metadata service does not answer")
    metadata.at(imds.META + "placement/region", None)
    asks_aws(proxy)


# ---- endpoints --------------------------------------------------------------

PASSWORD = "passwordINurl"
# A URL; what is said of it.
URLS = {
    "no scheme": ("127.0.0.1:8080", "the URL has no scheme: write http:// or "
                  "https:// before it"),
    "another scheme": ("ftp://127.0.0.1/", "the URL's scheme must be http or "
                       "https"),
    "password": (f"http://user:{PASSWORD}@127.0.0.1/", "the URL must not hold "
                 "a user or a password"),
    "query": ("http://127.0.0.1/?a=" + PASSWORD, "the URL must not hold a "
              'query ("?")'),
    "port": ("http://127.0.0.1:99999", "the URL's port must be a number from 1 "
             "to 65535"),
    "line break": (f"http://127.0.0.1/\nHost: {PASSWORD}", "the URL holds a "
                   "blank or a control character"),
    "no host": ("http:///x", "the URL has no host"),
}
VARIABLES = {"no scheme": "AWS_ENDPOINT_URL_CLOUDWATCH",
             "another scheme": "AWS_ENDPOINT_URL",
             "password": "AWS_ENDPOINT_URL"}


@pytest.fixture
def proxied(tmp_path):
    """A scene, and what stands in for the whole of the network."""
    with Scene(tmp_path) as scene:
        scene.secrets.add(PASSWORD)
        yield scene, scene.proxy()


@pytest.mark.parametrize("label", URLS)
def test_endpoint_of_the_environment(proxied, label):
    scene, proxy = proxied
    url, words = URLS[label]
    name = VARIABLES.get(label, "AWS_ENDPOINT_URL_CLOUDWATCH")
    daemon = scene.start(config(None, Proxy=proxy.url),
                         environment={name: url})
    asks_nobody(proxy, daemon, f"{name}: {words}")
    publish(scene.start(config(None, Proxy=proxy.url)), kept=1)
    asks_aws(proxy)


@pytest.mark.parametrize("label", URLS)
def test_endpoint_of_sts(proxied, label):
    """It matters only to who asks for a role: one node does, the other is not
    held up."""
    scene, proxy = proxied
    url, words = URLS[label]
    daemon = scene.start(
        config(None, node("a", None), node(
            "b", None, AccessKeyId=KEY, SecretAccessKey=SECRET, RoleArn=ROLE),
               Proxy=proxy.url), environment={"AWS_ENDPOINT_URL_STS": url})
    publish(daemon, kept=1)
    says(daemon, f"cannot assume role {ROLE} with AccessKeyId in the "
         f"configuration: AWS_ENDPOINT_URL_STS: {words}", node="b")
    asks_aws(proxy)
    daemon.stop()
    assert all("monitoring." in line for line in proxy.asked)


@pytest.mark.parametrize("label", [name for name in URLS
                                   if name != "line break"])
def test_endpoint_of_a_profile(proxied, label):
    scene, proxy = proxied
    url, words = URLS[label]
    in_services = label in VARIABLES
    text = f"[default]\nservices = s\n[services s]\ncloudwatch =\n  " \
        f"endpoint_url = {url}\n" if in_services else \
        f"[default]\nendpoint_url = {url}\n"
    of = " of the profile" + ("'s services section" if in_services else "")
    daemon = scene.start(config(None, Proxy=proxy.url),
                         files={".aws/config": text})
    asks_nobody(proxy, daemon, f"endpoint_url{of}: {words}")
    daemon.write(".aws/config", "[default]\n")
    asks_aws(proxy)


# ---- FIPS, dual stack, and an endpoint that is neither ----------------------

@pytest.mark.parametrize("mode", ["AWS_USE_FIPS_ENDPOINT",
                                  "AWS_USE_DUALSTACK_ENDPOINT"])
@pytest.mark.parametrize("url", ["AWS_ENDPOINT_URL",
                                 "AWS_ENDPOINT_URL_CLOUDWATCH"])
def test_mode_and_endpoint_of_the_environment(scene, mode, url):
    service = scene.service()
    daemon = scene.start(config(None), environment={
        mode: "true", url: service.url})
    refuses(service, daemon, f"{mode} cannot be used with an endpoint given by "
            f"{url}; remove one of them", "region")
    publish(scene.start(config(None), environment={
        mode: "false", url: service.url}), kept=1)
    is_published(service)


@pytest.mark.parametrize("mode", ["AWS_USE_FIPS_ENDPOINT",
                                  "AWS_USE_DUALSTACK_ENDPOINT"])
def test_mode_and_endpoint_of_sts(scene, mode):
    sts = scene.sts()
    daemon = scene.start(config(None, RoleArn=ROLE), uses=[sts],
                         environment={mode: "true"})
    refuses(sts, daemon, f"cannot assume role {ROLE} with AccessKeyId in the "
            f"configuration: {mode} cannot be used with an endpoint given by "
            "AWS_ENDPOINT_URL_STS; remove one of them")


@pytest.mark.parametrize("mode", ["use_fips_endpoint",
                                  "use_dualstack_endpoint"])
def test_mode_and_endpoint_of_a_profile(scene, mode):
    service = scene.service()
    text = f"[default]\nendpoint_url = {service.url}\n"
    daemon = scene.start(config(None), files={
        ".aws/config": text + f"{mode} = true\n"})
    recovers(service, daemon, f"{mode} of the profile cannot be used with an "
             "endpoint given by endpoint_url of the profile; remove one",
             lambda: daemon.write(".aws/config", text), "region")


@pytest.mark.parametrize("option", ["UseFIPS", "UseDualStack"])
def test_mode_of_the_configuration_and_other_endpoint(scene, option):
    service = scene.service()
    daemon = scene.start(config(None, **{option: True}), environment={
        "AWS_ENDPOINT_URL": service.url})
    refuses(service, daemon, f"{option} cannot be used with an endpoint given "
            "by AWS_ENDPOINT_URL; remove one of them", "region")


@pytest.mark.parametrize("word", ["yes", "1", "treu"])
def test_mode_that_is_neither(scene, word):
    service = scene.service()
    daemon = scene.start(without_keys(service), environment={
        "AWS_USE_FIPS_ENDPOINT": word})
    refuses(service, daemon, f'AWS_USE_FIPS_ENDPOINT is "{word}"; write true '
            "or false", "region")
