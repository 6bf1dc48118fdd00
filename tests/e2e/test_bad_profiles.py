"""Bad profiles and programs, one node for each: none keeps another from
sending."""

import json

import pytest

import ailing
from arguments import children_of
from ailing import complaint, document, says
from scene import Scene, feed, node, publish, without_keys
from times import FastClock

ARN = "arn:aws:iam::123456789012:role/r"
SECRET = ailing.SECRET


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        one.secrets.add(SECRET)
        yield one


def start(scene, table, **how):
    """A daemon with a node and a service for each label."""
    services = {label: scene.service() for label in table}
    nodes = [node(label, service, Profile=label)
             for label, service in services.items()]
    daemon = scene.start(without_keys(None, *nodes, Region=None), **how)
    publish(daemon, kept=1)
    return daemon, services


def all_publish(scene, services):
    for label, service in services.items():
        assert service.wait_datums(1, 30)[0]["AccessKey"] in scene.keyring, \
            label


# ---- profiles ---------------------------------------------------------------

# The lines of a profile; what is said.
PROFILES = {
    "key": ("aws_access_key_id = AKIDX", 'profile "key": aws_access_key_id '
            "needs an aws_secret_access_key beside it"),
    "secret": (f"aws_secret_access_key = {SECRET}", 'profile "secret": '
               "aws_secret_access_key needs an aws_access_key_id beside it"),
    "loop": (f"role_arn = {ARN}\nsource_profile = loop", 'profile "loop": '
             'source_profile "loop" leads back to a profile that was asked '
             "before: name one that has credentials of its own"),
    "ring": (f"role_arn = {ARN}\nsource_profile = gnir\n[profile gnir]\n"
             f"role_arn = {ARN}\nsource_profile = ring", 'profile "gnir": '
             'source_profile "ring" leads back to a profile that was asked'),
    "astray": (f"role_arn = {ARN}\nsource_profile = nobody",
               'profile "astray": source_profile "nobody" does not exist: name '
               "a profile that has credentials"),
    "barren": (f"role_arn = {ARN}\nsource_profile = dry\n[profile dry]\n"
               "region = eu-west-1", 'source_profile "dry" has no credentials: '
               "it needs access keys, credential_process or a role"),
    "alone": (f"role_arn = {ARN}", 'profile "alone": role_arn needs '
              "source_profile or credential_source beside it"),
    "both": (f"role_arn = {ARN}\nsource_profile = key\n"
             "credential_source = Environment", 'profile "both": role_arn has '
             "source_profile and credential_source beside it: take one out"),
    "unknown": (f"role_arn = {ARN}\ncredential_source = Moon",
                'credential_source "Moon" is unknown; write Environment, '
                "Ec2InstanceMetadata or EcsContainer, with these capitals"),
    "bare": (f"role_arn = {ARN}\ncredential_source = Environment",
             "profile bare: credential_source Environment gives none: set "
             "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the daemon"),
    "off": (f"role_arn = {ARN}\ncredential_source = Ec2InstanceMetadata",
            "credential_source Ec2InstanceMetadata gives none: the instance "
            "metadata service is switched off (AWS_EC2_METADATA_DISABLED)"),
    "outside": (f"role_arn = {ARN}\ncredential_source = EcsContainer",
                "credential_source EcsContainer gives none: this is no "
                "container of ECS or EKS"),
    "arn": ("role_arn = role/r\nsource_profile = key", 'role ARN "role/r": '
            "names no role; write arn:aws:iam::ACCOUNT:role/NAME"),
    "short": (f"role_arn = {ARN}\nsource_profile = key\nduration_seconds = 1h",
              'duration_seconds "1h" is no number of seconds from 900 to'),
    "mfa": (f"role_arn = {ARN}\nsource_profile = key\nmfa_serial = x",
            "its role needs a code of an MFA device (mfa_serial), and nobody "
            "is there to type it: use an instance role"),
    "sso": ("sso_account_id = 1\nsso_role_name = r", "SSO (IAM Identity "
            "Center) needs somebody who signs in, and is not supported: use"),
    "web": ("web_identity_token_file = /token", "web_identity_token_file "
            "needs a role_arn beside it"),
    "empty": ("region = eu-west-1", "no credentials found: ...none for profile "
              "empty in "),
}


def test_profiles(scene):
    text = "".join(f"[profile {label}]\n{lines}\n"
                   for label, (lines, _) in PROFILES.items())
    daemon, services = start(scene, PROFILES, files={".aws/config": text})
    for label, (_, words) in PROFILES.items():
        says(daemon, words, node=label)
    feed(daemon, later=2)
    assert not any(service.requests for service in services.values())
    keys = scene.keyring.issue()
    daemon.write(".aws/config", "".join(keys.section(f"profile {label}")
                                        for label in PROFILES))
    all_publish(scene, services)


@pytest.mark.parametrize("file, line, words", [
    ("config", "[profile default", "config file, line 3: "),
    ("credentials", "= x", "credentials file, line 3: ")])
def test_file_that_is_none(scene, file, line, words):
    service, keys = scene.service(), scene.keyring.issue()
    text = keys.section("default")
    lines = text.splitlines()
    daemon = scene.start(without_keys(service), files={
        f".aws/{file}": "\n".join(lines[:2] + [line] + lines[2:]) + "\n"})
    ailing.recovers(service, daemon, f"{words}...{daemon.folder}/.aws/{file}",
                    lambda: daemon.write(f".aws/{file}", text), "region")


# ---- programs ---------------------------------------------------------------

def printing(text):
    """A program that prints bytes as they are."""
    return b"#!/bin/sh\ncat <<'END'\n" + text + b"\nEND\n"


def of_program(name):
    return "credential_process ...bin/{0} of profile {0}".format(name)


OWN_WORDS = b"""#!/bin/sh
echo 'no ticket;' >&2
printf 'run\\tkinit\\n' >&2
exit 1
"""
# What stands in the file; what is said.
PROGRAMS = {
    "nothing": (b"#!/bin/sh\n", "profile nothing: credential_process ...bin/"
                "nothing printed nothing"),
    "much": (b"#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x\n",
             "bin/much printed more than 65536 bytes, and was killed"),
    "words": (OWN_WORDS, "bin/words ended with status 1 and said: no ticket; "
              "run kinit"),
    "signal": (b"#!/bin/sh\nkill -9 $$\n", "bin/signal was ended by signal 9"),
    "absent": (None, "bin/absent cannot be run: there is no such file, or its "
               "first line names an interpreter that is not there; write its "
               "full path"),
    "plain": (b"echo x\n", "bin/plain cannot be run (Permission denied): the "
              "user that collectd runs as must be allowed to execute the file"),
    "noshell": (b"#!/nowhere/sh\n", "bin/noshell cannot be run: there is no "
                "such file, or its first line names an interpreter"),
    "version2": (b'{"Version": 2, "AccessKeyId": "AKIDX", "SecretAccessKey": '
                 b'"%s"}', of_program("version2") + ": Version is not the "
                 "number 1, the only one known"),
    "textual": (b'{"Version": "1", "AccessKeyId": "AKIDX", "SecretAccessKey": '
                b'"%s"}', of_program("textual") + ": Version is not the "
                "number 1"),
    "unmarked": (b'{"AccessKeyId": "AKIDX", "SecretAccessKey": "%s"}',
                 of_program("unmarked") + ": Version is missing; it must be "
                 "the number 1"),
}
# A node's name and a program's hold no blanks.
DOCUMENTS = {f"document{i}": label
             for i, label in enumerate(ailing.DOCUMENTS)}


def test_programs(scene):
    programs = dict(PROGRAMS)
    for name, label in DOCUMENTS.items():
        text = document(label)
        if b"Version" not in text:
            text = text.replace(b"{", b'{"Version": 1, ', 1)
        programs[name] = (text, complaint(label, of_program(name)))
    files = {f"bin/{name}": text if text.startswith(b"#!") or name == "plain"
             else printing(text.replace(b"%s", SECRET.encode()))
             for name, (text, _) in programs.items() if text is not None}
    files[".aws/config"] = "".join(
        f"[profile {name}]\ncredential_process = {{home}}/bin/{name}\n"
        for name in programs)
    daemon, services = start(scene, programs, files=files)
    for name, (_, words) in programs.items():
        says(daemon, words, node=name)
    feed(daemon, later=2)
    assert not any(service.requests for service in services.values())
    good = json.dumps(scene.keyring.issue().process_document()).encode()
    for name in programs:
        daemon.write(f"bin/{name}", printing(good))
    all_publish(scene, services)
    assert children_of(daemon.pid) == []


def test_program_that_never_ends(tmp_path):
    """Killed after a minute, with what it has started; here that is a second.
    One that has printed all is not waited for."""
    with Scene(tmp_path, clock=FastClock(1_700_000_000, 60)) as scene:
        service, keys = scene.service(), scene.keyring.issue()
        daemon = scene.start(
            without_keys(service, **FastClock.LONG), files={
                ".aws/config": "[default]\ncredential_process = {home}/run\n",
                "run": "#!/bin/sh\necho x >> {home}/runs\nsleep 1000000 &\n"
                       "sleep 1000000\n"})
        publish(daemon, at=int(scene.now()) // 60 * 60 - 600, kept=1)
        says(daemon, "profile default: credential_process ...run did not end "
             "its output within 60 s, and was killed", timeout=20)
        assert not service.requests
        good = json.dumps(keys.process_document())
        daemon.write("run", f"#!/bin/sh\necho '{good}'\nexec >&-\n"
                     "sleep 1000000\n")
        assert service.wait_datums(1, 30)[0]["AccessKey"] == keys.key
        assert children_of(daemon.pid) == []
