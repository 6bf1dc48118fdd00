"""Makes the cases of diff_chain.sh: files, environments and options.

    chain_cases.py FOLDER COUNT SEED

Writes the files of each case into a folder of its own, and each case as a line
of JSON. A case that is written down in a way that an oracle does not understand
has a twin before it that is written down plainly, and means the same.
chain_named.py has the cases that were thought of.
"""

import json
import random
import sys

import chain_named
from chain_case import (CONTAINER_URL, DIVISIVE, INSTANCE_URL, REGIONS,
                        STS_URL, SYNTAX_ERRORS, Case)

# --- where credentials come from


def some_profile(case):
    """The name of the profile in use, chosen one way or another."""
    name = case.rng.choice(["default", "work", "a.b/c@d:e+f_g-h%1", "Team.X"])
    if name != "default" or case.chance(0.2):
        if case.chance(0.5):
            case.options["profile"] = name
        else:
            case.env["AWS_PROFILE"] = name
    return name


def environment(case):
    case.features.add("environment")
    case.env_keys()
    if case.chance(0.3):
        case.put("default", case.key_pairs())
        case.facts.add("keys in the default profile")
    if case.chance(0.2):
        case.env["AWS_PROFILE"] = "work"
        case.put("work", case.key_pairs())
    flaw = case.rng.random()
    if flaw < 0.15:
        del case.env["AWS_SECRET_ACCESS_KEY"]
        case.facts.add("half a pair in the environment")
    elif flaw < 0.25:
        del case.env["AWS_ACCESS_KEY_ID"]
        case.facts.add("half a pair in the environment")
    elif flaw < 0.4:
        case.env["AWS_SESSION_TOKEN"] = ""
        case.features.add("blank variables")
    elif flaw < 0.46:
        case.env["AWS_SECRET_ACCESS_KEY"] = ""
        case.facts.add("half a pair in the environment")
        case.features.add("blank variables")
    elif flaw < 0.55:
        case.env["AWS_ACCESS_KEY_ID"] = case.env["AWS_SECRET_ACCESS_KEY"] = ""
        case.features.add("blank variables")


def profile_keys(case):
    case.features.add("profile keys")
    name = some_profile(case)
    pairs = case.key_pairs()
    where = case.put(name, pairs)
    flaw = case.rng.random()
    if flaw < 0.12:
        missing = case.rng.choice(["aws_access_key_id",
                                   "aws_secret_access_key"])
        sections = case.config if where == "config" else case.credentials
        for keys in sections.values():
            keys.pop(missing, None)
        case.features.add("half a key pair")
        case.facts.add(f"without {missing}")
        no_instance(case)
        if case.chance(0.4):
            case.put(name, {"region": "us-east-1"},
                     "config" if where == "credentials" else "credentials")
            case.features.add("both files")
    elif flaw < 0.3:
        other = "config" if where == "credentials" else "credentials"
        case.put(name, case.key_pairs(token="aws_session_token" in pairs),
                 other)
        case.features.add("both files")
    elif flaw < 0.4:
        case.put("other", case.key_pairs())
        case.features.add("half a key pair")
    elif flaw < 0.5 and name != "default":
        for sections in (case.config, case.credentials):
            sections.pop(name, None)
            sections.pop(f"profile {name}", None)
        case.put("other", case.key_pairs())
        case.facts.add("no such profile")
        no_instance(case)
        if case.chance(0.5):
            case.put("other", {"region": "us-east-1"}, "config")
            case.put("other", {"region": "us-east-1"}, "credentials")
            case.features.add("both files")


def no_instance(case):
    case.env["AWS_EC2_METADATA_DISABLED"] = case.rng.choice(["true", "TRUE"])


def give_base(case, name):
    """What the last profile of a chain has; its name."""
    kind = case.rng.choice(["keys", "keys", "keys", "process", "web",
                            "instance", "container", "environment"])
    if kind == "keys":
        case.put(name, case.key_pairs())
    elif kind == "process":
        case.features.add("credential_process")
        case.put(name, {"credential_process": process_of(case)})
    elif kind == "web":
        case.features.add("web identity profile")
        case.put(name, web_keys(case))
    else:
        give_source(case, name, kind)
    return kind


def give_source(case, name, kind):
    case.features.add("credential_source")
    word = {"instance": "Ec2InstanceMetadata", "container": "EcsContainer",
            "environment": "Environment"}[kind]
    case.put(name, case.role(credential_source=word))
    if kind == "instance":
        case.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = INSTANCE_URL
    elif kind == "container":
        case.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
            f"{CONTAINER_URL}/creds")
    else:
        case.env_keys()


def sts(case):
    """Where STS is."""
    way = case.rng.choice(["variable", "variable", "generic", "profile",
                           "services"])
    if way == "variable":
        case.env["AWS_ENDPOINT_URL_STS"] = STS_URL
    elif way == "generic":
        case.env["AWS_ENDPOINT_URL"] = STS_URL
        case.features.add("AWS_ENDPOINT_URL")
        case.facts.add("endpoint for all")
    elif way == "profile":
        case.put(case.profile, {"endpoint_url": STS_URL})
        case.features.add("endpoint_url")
        case.facts.add("endpoint for all")
    else:
        case.put(case.profile, {"services": "here"}, "config")
        case.config.setdefault("services here", {})["sts"] = {
            "endpoint_url": STS_URL}
        case.features.add("services section")
    case.facts.add("asks STS")


def role_chain(case):
    """Up to three roles, one after the other, and what can be wrong."""
    case.features.add("source_profile")
    name = some_profile(case)
    depth = case.rng.choice([1, 1, 2, 2, 3])
    names = [name] + [f"up{i}" for i in range(1, depth + 1)]
    for this, above in zip(names, names[1:]):
        case.put(this, case.role(source_profile=above))
    if depth > 1:
        case.features.add("role chain")
    kind = give_base(case, names[-1])
    if kind == "environment" and "profile" not in case.options:
        case.facts.add("environment before the profile")
    break_chain(case, names)
    sts(case)


def break_chain(case, names):
    flaw = case.rng.random()
    last = names[-2]
    if flaw < 0.06:
        case.put(names[-1], case.role(source_profile=names[0]))
        for sections in (case.config, case.credentials):
            for section in (names[-1], f"profile {names[-1]}"):
                for key in ("aws_access_key_id", "aws_secret_access_key",
                            "credential_source", "web_identity_token_file"):
                    sections.get(section, {}).pop(key, None)
        case.features.add("loop")
        case.facts.add("loop")
        no_instance(case)
    elif flaw < 0.11:
        case.put(last, {"source_profile": "nowhere"}, "credentials")
        no_instance(case)
    elif flaw < 0.15:
        case.put(last, {"credential_source": "Environment"})
        case.facts.add("two sources")
        no_instance(case)
    elif flaw < 0.22:
        case.put(last, {"role_arn": "arn:aws:iam::123456789012:role/denied"},
                 "credentials")
        no_instance(case)
    elif flaw < 0.3:
        case.put(last, case.key_pairs())
        case.features.add("keys beside a role")
        if case.chance(0.3):
            case.put(names[0], {
                "role_arn": "arn:aws:iam::123456789012:role/denied"},
                "credentials")
        if len(names) > 2:
            case.facts.add("keys end the chain")
    elif flaw < 0.38:
        case.put(names[0], {"source_profile": names[0]}, "credentials")
        case.features.add("a profile that names itself")
        if case.chance(0.6):
            case.put(names[0], case.key_pairs())
        else:
            no_instance(case)


def credential_source(case):
    name = some_profile(case)
    kind = case.rng.choice(["instance", "container", "environment"])
    give_source(case, name, kind)
    if kind == "environment" and "profile" not in case.options:
        case.facts.add("environment before the profile")
    flaw = case.rng.random()
    if flaw < 0.12:
        case.put(name, {"credential_source": "EC2"}, "credentials")
        case.env.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
        no_instance(case)
    elif flaw < 0.24 and kind == "environment":
        del case.env["AWS_SECRET_ACCESS_KEY"], case.env["AWS_ACCESS_KEY_ID"]
        no_instance(case)
    elif flaw < 0.24 and kind == "instance":
        case.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:4111"
    sts(case)


def web_keys(case):
    found = {"role_arn": case.role_arn(),
             "web_identity_token_file":
                 case.file("web token", "web-" + case.text(20))}
    if case.chance(0.5):
        found["role_session_name"] = "given-" + case.text(4)
    return found


def web_profile(case):
    case.features.add("web identity profile")
    name = some_profile(case)
    keys = web_keys(case)
    case.put(name, keys, "config")
    if case.chance(0.25):
        case.files["web token"] = "unknown"
        no_instance(case)
    sts(case)


def web_environment(case):
    case.features.add("web identity")
    keys = web_keys(case)
    case.env["AWS_ROLE_ARN"] = keys["role_arn"]
    case.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = keys["web_identity_token_file"]
    if "role_session_name" in keys:
        case.env["AWS_ROLE_SESSION_NAME"] = keys["role_session_name"]
    flaw = case.rng.random()
    if flaw < 0.1:
        case.env["AWS_WEB_IDENTITY_TOKEN_FILE"] += ".not"
        no_instance(case)
    elif flaw < 0.2:
        case.env["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/denied"
        no_instance(case)
    elif flaw < 0.3:
        case.put("default", case.key_pairs())
        case.facts.add("keys in the default profile")
    elif flaw < 0.4:
        case.env_keys()
    sts(case)


def process_of(case, broken=False):
    """A command that prints credentials."""
    key, secret, token = case.keys()
    document = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret}
    if token:
        document["SessionToken"] = token
    if case.chance(0.4):
        document["Expiration"] = "2099-01-01T00:00:00Z"
    if not broken:
        path = case.file("its keys.json", json.dumps(document))
        return case.rng.choice([f'/bin/cat "{path}"', f"cat '{path}'",
                                f'cat {path}'.replace("its keys.json",
                                                      "its\\ keys.json")])
    flaw = case.rng.choice(["Version", "AccessKeyId", "text", "status",
                            "nothing", "program"])
    text = json.dumps(document)
    if flaw == "Version":
        text = json.dumps({**document, "Version": case.rng.choice([2, "1"])})
    elif flaw == "AccessKeyId":
        del document["AccessKeyId"]
        text = json.dumps(document)
    elif flaw == "text":
        text = "<html>hello</html>"
    elif flaw == "status":
        return "/bin/false"
    elif flaw == "nothing":
        return "/bin/true"
    elif flaw == "program":
        return "/bin/no-such-program --now"
    path = case.file("its keys.json", text)
    return f'/bin/cat "{path}"'


def process(case):
    case.features.add("credential_process")
    name = some_profile(case)
    broken = case.chance(0.3)
    case.put(name, {"credential_process": process_of(case, broken)})
    if broken:
        no_instance(case)


def container(case):
    case.features.add("container")
    shown = case.rng.random()
    token = "pod " + case.text(30, WORDS_OF_TOKENS)
    if shown < 0.35:
        case.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token
        case.features.add("container token")
    elif shown < 0.7:
        case.env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = case.file(
            "pod token", token)
        case.features.add("container token file")
        if case.chance(0.3):
            case.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "other"
    where = case.rng.choice(["relative", "full", "full", "EKS", "EKS 6",
                             "denied", "foreign", "foreign", "both",
                             "denied relative"])
    if where == "denied relative":
        case.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/denied"
        case.features.add("container's relative URI")
        no_instance(case)
    if where in ("relative", "both"):
        case.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = (
            "/creds?id=" + case.text(5))
        case.features.add("container's relative URI")
    urls = {"full": f"{CONTAINER_URL}/creds/{case.text(4)}",
            "both": f"{CONTAINER_URL}/creds/{case.text(4)}",
            "EKS": "http://169.254.170.23/creds",
            "EKS 6": "http://[fd00:ec2::23]/creds",
            "denied": f"{CONTAINER_URL}/denied",
            "foreign": case.rng.choice(["http://192.0.2.1/creds",
                                        "http://169.254.169.254/creds",
                                        "http://example.com/creds"])}
    if where in urls:
        case.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = urls[where]
    if where.startswith("EKS"):
        case.facts.add("address of EKS")
    if where in ("denied", "foreign"):
        no_instance(case)
        if case.chance(0.5) and "container token" not in case.features:
            case.features.add("container token")
            case.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token


WORDS_OF_TOKENS = "abcdefXYZ0123456789+/="


def instance(case):
    case.features.add("instance")
    where = case.rng.choice(["usual", "IPv4", "IPv6", "url", "url", "no role",
                             "broken", "assume failed", "off", "off"])
    ports = {"url": 4110, "no role": 4111, "broken": 4112,
             "assume failed": 4113}
    if where in ports:
        url = f"http://127.0.0.1:{ports[where]}"
        case.features.add("metadata endpoint")
        if case.chance(0.3):
            case.put("default", {"ec2_metadata_service_endpoint": url},
                     "config")
        else:
            case.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url
    elif where.startswith("IPv"):
        case.features.add("metadata endpoint")
        case.env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = where
    elif where == "off":
        no_instance(case)
    else:
        case.env["AWS_EC2_METADATA_DISABLED"] = "false"


def option_keys(case):
    case.features.add("AccessKeyId")
    key, secret, token = case.keys()
    case.options.update(access_key_id=key, secret_access_key=secret)
    if token:
        case.options["session_token"] = token
    if case.chance(0.5):
        case.env_keys()
    if case.chance(0.5):
        case.put("default", case.key_pairs())


def option_role(case):
    """RoleArn of the configuration, on top of some other source."""
    case.rng.choice([environment, profile_keys, role_chain, instance,
                     option_keys, process])(case)
    case.features.add("RoleArn")
    case.options["role_arn"] = case.role_arn()
    if case.chance(0.5):
        case.options["external_id"] = "e-" + case.text(4)
    if case.chance(0.5):
        case.options["role_session_name"] = "given-" + case.text(4)
    if case.chance(0.4):
        case.options["role_duration_s"] = 1800
    if case.chance(0.2):
        case.options["role_arn"] = "arn:aws:iam::123456789012:role/denied"
    if "asks STS" not in case.facts:
        sts(case)


def refused(case):
    """What a daemon cannot do."""
    case.features.add("SSO, login, MFA")
    name = some_profile(case)
    kind = case.rng.choice(["sso", "sso", "login", "mfa"])
    if kind == "sso":
        case.put(name, {"sso_session": "x", "sso_account_id": "123456789012",
                        "sso_role_name": "r"}, "config")
        case.config["sso-session x"] = {
            "sso_region": "eu-west-1", "sso_start_url": "https://x.invalid/"}
    elif kind == "login":
        case.put(name, {"login_session": "arn:aws:iam::1:user/x"}, "config")
    else:
        case.put(name, case.role(source_profile="base", mfa_serial="arn:x"))
        case.put("base", case.key_pairs())
        sts(case)
    case.facts.add(kind)
    no_instance(case)


SOURCES = [(environment, 10), (profile_keys, 16), (role_chain, 20),
           (credential_source, 8), (web_profile, 5), (web_environment, 7),
           (process, 8), (container, 11), (instance, 8), (option_keys, 3),
           (option_role, 10), (refused, 4)]

# --- where to


def region(case):
    way = case.rng.choice(["variable", "variable", "profile", "profile",
                           "older variable", "both variables", "all", "option",
                           "instance", "wrong"])
    some = lambda: case.rng.choice(REGIONS)  # noqa: E731
    if way in ("variable", "both variables", "all"):
        case.env["AWS_REGION"] = some()
    if way in ("older variable", "both variables", "all"):
        case.env["AWS_DEFAULT_REGION"] = some()
    if way in ("profile", "all"):
        case.put(case.profile, {"region": some()})
    if way == "option":
        case.options["region"] = some()
    if way == "wrong":
        case.env["AWS_REGION"] = case.env["AWS_DEFAULT_REGION"] = (
            case.rng.choice(["us_east_1", "x.example.com/", "-x"]))
    case.features.add({
        "variable": "AWS_REGION", "older variable": "AWS_DEFAULT_REGION",
        "both variables": "AWS_REGION", "all": "AWS_REGION",
        "profile": "region", "option": "Region", "instance": "no region",
        "wrong": "AWS_REGION"}[way])


def endpoint(case):
    way = case.rng.choice(["none", "none", "none", "FIPS", "dual", "both",
                           "CloudWatch", "all", "services", "profile",
                           "ignored", "clash", "option", "not a URL"])
    url = case.rng.choice(["https://vpce-1.example.com", "http://127.0.0.1:9/a",
                           "https://[::1]:8443/x/y", "http://Host.example:80"])
    stays = case.facts & {"endpoint for all"}
    if way in ("FIPS", "both", "clash"):
        turn_on(case, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint",
                "use_fips")
    if way in ("dual", "both"):
        turn_on(case, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint",
                "use_dual_stack")
    if way in ("CloudWatch", "clash", "ignored"):
        case.env["AWS_ENDPOINT_URL_CLOUDWATCH"] = url
        case.features.add("AWS_ENDPOINT_URL_CLOUDWATCH")
    if way == "all" and not stays:
        case.env["AWS_ENDPOINT_URL"] = url
        case.env.setdefault("AWS_ENDPOINT_URL_STS", STS_URL)
        case.features.add("AWS_ENDPOINT_URL")
    if way == "services":
        case.put(case.profile, {"services": "here"}, "config")
        case.config.setdefault("services here", {})["cloudwatch"] = {
            "endpoint_url": url}
        case.features.add("services section")
    if way == "profile" and not stays:
        case.put(case.profile, {"endpoint_url": url})
        case.env.setdefault("AWS_ENDPOINT_URL_STS", STS_URL)
        case.features.add("endpoint_url")
    if way == "ignored" and "asks STS" not in case.facts:
        turn_on(case, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                "ignore_configured_endpoint_urls", None)
        case.features.add("ignored endpoints")
    if way == "option":
        case.options["endpoint"] = url
        case.features.add("Endpoint")
    if way == "not a URL":
        case.env["AWS_ENDPOINT_URL_CLOUDWATCH"] = case.rng.choice(
            ["example.com", "ftp://x"])
        case.features.add("AWS_ENDPOINT_URL_CLOUDWATCH")
        case.facts.add("endpoint is no URL")


def turn_on(case, variable, key, option):
    way = case.rng.choice(["variable", "key", "option"])
    word = case.rng.choice(["true", "true", "false"])
    if way == "variable" or option is None and way == "option":
        case.env[variable] = word
    elif way == "key":
        case.put(case.profile, {key: word})
    else:
        case.options[option] = int(word == "true")
    if option:
        case.features.add(
            "FIPS" if option == "use_fips" else "dual stack")


# --- how it is written down


def write_oddly(case):
    for way, p in (("CRLF", 0.2), ("comments", 0.35), ("spacing", 0.3),
                   ("continuation", 0.12), ("sub-properties", 0.15),
                   ("other sections", 0.2)):
        if case.chance(p):
            case.ways.add(way)
    if case.config or case.credentials:
        case.features |= {way for way in case.ways if way != "other sections"}
    if case.chance(0.3):
        way = case.rng.choice(DIVISIVE)
        case.ways.add(way)
        if case.config or case.credentials:
            case.features.add(
                "broken files" if way in SYNTAX_ERRORS else "odd files")


def elsewhere(case):
    """The files are not in their usual places."""
    way = case.rng.choice(["variables", "home", "options"])
    if way == "options":
        if case.credentials:
            case.options["credentials_file"] = str(case.home / "cred file")
        if case.config:
            case.options["config_file"] = str(case.home / "etc/conf")
    else:
        start = "~" if way == "home" else str(case.home)
        case.env["AWS_SHARED_CREDENTIALS_FILE"] = f"{start}/cred file"
        case.env["AWS_CONFIG_FILE"] = f"{start}/etc/conf"
    case.features.add("files elsewhere")


def one(seed, number, folder, plainly=False):
    rng = random.Random(seed * 1_000_003 + number)
    name = f"random {number}" + (" plainly" if plainly else "")
    case = Case(rng, name, folder)
    makers, weights = zip(*SOURCES)
    rng.choices(makers, weights)[0](case)
    region(case)
    endpoint(case)
    write_oddly(case)
    if case.chance(0.2):
        elsewhere(case)
    if plainly:
        case.ways -= set(DIVISIVE)
    return case


def main():
    folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for case in chain_named.cases(folder):
        print(json.dumps(case.value()))
    for number in range(count):
        value = one(seed, number, folder).value()
        if set(value["facts"]) & set(DIVISIVE) - SYNTAX_ERRORS:
            twin = one(seed, number, folder, plainly=True).value()
            value["plainly"] = twin["name"]
            print(json.dumps(twin))
        print(json.dumps(value))


if __name__ == "__main__":
    main()
