"""What botocore finds in the cases of chain_cases.py, one line of JSON each.

Usage: /usr/bin/python3 chain_oracle.py <cases

botocore 1.29 knows no variable and no key for endpoints, so each client of STS
is pointed at the one of chain_server.py. Times between tries are left out.
"""

import contextlib
import json
import os
import sys

import botocore.credentials
import botocore.loaders
import botocore.session
import botocore.utils
from botocore.config import Config

from chain_case import STS_URL

LOADER = botocore.loaders.Loader()

botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0
botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1


def ask_nobody(prompt):
    raise LookupError("nobody is there to be asked: " + prompt)


def make_provider(self, *arguments, **keywords):
    MADE(self, *arguments, prompter=ask_nobody, **keywords)


MADE = botocore.credentials.AssumeRoleProvider.__init__
botocore.credentials.AssumeRoleProvider.__init__ = make_provider


class Session(botocore.session.Session):
    def create_client(self, service_name, *arguments, **keywords):
        if service_name == "sts":
            keywords["endpoint_url"] = STS_URL
            if not (arguments and arguments[0] or keywords.get("region_name")
                    or self.get_config_variable("region")):
                keywords["region_name"] = "us-east-1"
        return super().create_client(service_name, *arguments, **keywords)


@contextlib.contextmanager
def environment(case):
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(case["env"])
    os.environ["PATH"] = kept["PATH"]
    for option, variable in (("config_file", "AWS_CONFIG_FILE"),
                             ("credentials_file",
                              "AWS_SHARED_CREDENTIALS_FILE")):
        if option in case["options"]:
            os.environ[variable] = case["options"][option]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def session_of(case):
    """A profile or a credentials file of the options count as a profile that
    is given to the SDK itself."""
    options = case["options"]
    profile = options.get("profile")
    if profile is None and "credentials_file" in options:
        profile = case["profile"]
    session = Session(profile=profile)
    session.register_component("data_loader", LOADER)
    return session


def credentials(case):
    options = case["options"]
    session = session_of(case)
    if "access_key_id" in options:
        found = botocore.credentials.Credentials(
            options["access_key_id"], options["secret_access_key"],
            options.get("session_token"))
    else:
        found = session.get_credentials()
    if found is None:
        raise LookupError("no credentials")
    if "role_arn" in options:
        more = {}
        if "role_session_name" in options:
            more["RoleSessionName"] = options["role_session_name"]
        if "external_id" in options:
            more["ExternalId"] = options["external_id"]
        if "role_duration_s" in options:
            more["DurationSeconds"] = options["role_duration_s"]
        fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
            client_creator=session.create_client, source_credentials=found,
            role_arn=options["role_arn"], extra_args=more)
        found = botocore.credentials.DeferredRefreshableCredentials(
            fetcher.fetch_credentials, "assume-role")
    found = found.get_frozen_credentials()
    return {"key": found.access_key, "secret": found.secret_key,
            "token": found.token or ""}


def place(case):
    options = case["options"]
    session = session_of(case)
    config = {"use_fips_endpoint": options.get("use_fips"),
              "use_dualstack_endpoint": options.get("use_dual_stack")}
    client = session.create_client(
        "cloudwatch", region_name=options.get("region"),
        endpoint_url=options.get("endpoint"),
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
        config=Config(**{name: bool(value) for name, value in config.items()
                         if value is not None}))
    return {"region": client.meta.region_name,
            "endpoint": client.meta.endpoint_url}


def attempt(function, case):
    try:
        return function(case)
    except Exception as error:  # whatever it is, it is an answer
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    for line in sys.stdin:
        case = json.loads(line)
        with environment(case):
            print(json.dumps({"credentials": attempt(credentials, case),
                              "place": attempt(place, case)}), flush=True)


if __name__ == "__main__":
    main()
