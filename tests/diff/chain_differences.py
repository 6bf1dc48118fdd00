"""Where we mean to find something else than an oracle does, and why.

A row is an oracle ("botocore", "SDK", the one for JavaScript), what differs
("region", "endpoint", "credentials"), the reason, and a predicate of the case,
what we found and what the oracle found. It is to be as narrow as can be: a
difference that no row covers is a failure, and so is a row that covers none.
"""

import re
import typing

import chain_server
from chain_case import STS_URL, SYNTAX_ERRORS

CONTAINER_KEY = chain_server.keys("container;127.0.0.1-4120;/creds;none")[0]

GRAMMAR_OF_SDK = {"key in capitals", "equals in a continuation",
                  "comment at the bracket", "blanks in the brackets"}
GRAMMAR_OF_BOTOCORE = {"section twice", "key twice", "comment after a value",
                       "blanks in the brackets", "comment at the bracket"}


class Row(typing.NamedTuple):
    oracle: str
    what: str
    reason: str
    covers: typing.Callable


ROWS = []


def row(oracle, what, reason):
    def add(covers):
        for name in oracle.split():
            for one in what.split():
                ROWS.append(Row(name, one, reason, covers))
        return covers
    return add


def failed(answer):
    return "error" in answer


def has(case, *facts):
    return bool(set(case["facts"]) & set(facts))


def profile_of(case):
    """The profile in use, of both files."""
    name = case["profile"]
    found = dict(case["config"].get("default", {}) if name == "default"
                 else {})
    found.update(case["config"].get(f"profile {name}", {}))
    found.update(case["credentials"].get(name, {}))
    return found


def urls_of(case):
    """All the endpoints that anybody gives."""
    found = [value for name, value in case["env"].items()
             if name.startswith("AWS_ENDPOINT_URL")]
    found.append(profile_of(case).get("endpoint_url"))
    for name, keys in case["config"].items():
        if name.startswith("services "):
            found += [sub["endpoint_url"] for sub in keys.values()]
    found += re.findall(r"endpoint_url = (\S+)", case["raw"])
    return [url for url in found if url]


# --- where to

@row("botocore", "region",
     "It reads AWS_DEFAULT_REGION alone; every other SDK reads AWS_REGION, "
     "which we read before it.")
def _(case, our, their):
    return ("region" not in case["options"]
            and our.get("region") == case["env"].get("AWS_REGION"))


@row("botocore", "region",
     "It does not ask the instance for its region; an EC2 instance without "
     "configuration must know where it is.")
def _(case, our, their):
    return (our.get("region") == "eu-north-1" and failed(their)
            and "no region" in case["features"])


@row("botocore", "endpoint",
     "This release knows no endpoint but that of its caller; the variables "
     "and keys for endpoints came later.")
def _(case, our, their):
    return ("endpoint" not in case["options"]
            and our.get("endpoint") in map(plain_url, urls_of(case))
            and "monitoring" in their.get("endpoint", "monitoring"))


@row("botocore", "region endpoint",
     "As it knows no variables and keys for endpoints, it sees no mistake in "
     "them, and no conflict with FIPS or dual stack.")
def _(case, our, their):
    return ("cannot be used with an endpoint given by" in our.get("error", "")
            or has(case, "endpoint is no URL")
            and our.get("error", "").startswith("AWS_ENDPOINT_URL_CLOUDWATCH:"))


@row("botocore", "endpoint",
     "This release is older than the partition aws-eusc, the names for dual "
     "stack in the isolated ones, and for dual stack with FIPS in us-gov.")
def _(case, our, their):
    ours, theirs = our.get("endpoint", ""), their.get("endpoint", "")
    return (".eusc-" in ours and ".eusc-" in theirs
            or ".us-iso" in ours and ".api.aws." in ours
            and theirs.endswith(".api.aws")
            or re.fullmatch(r"https://monitoring\.us-gov-\w+-1\.api\.aws", ours)
            and theirs == ours.replace("monitoring", "monitoring-fips"))


@row("botocore SDK", "region endpoint",
     "Both take any word but true for false; here one that is neither is "
     "refused, so that nobody who meant FIPS goes without.")
def _(case, our, their):
    return has(case, "FIPS by yes") and "write true or false" in our["error"]


@row("SDK", "region credentials",
     "Where it looks for the region, that of STS too, it takes "
     "AWS_EC2_METADATA_DISABLED=false for true.")
def _(case, our, their):
    return (("token" in our or our.get("region") == "eu-north-1")
            and "Region is missing" in their.get("error", "")
            and case["env"].get("AWS_EC2_METADATA_DISABLED") == "false")


@row("SDK", "region",
     "It reads AWS_REGION alone; hosts that are set up for botocore have only "
     "AWS_DEFAULT_REGION, so we read that, too, after it.")
def _(case, our, their):
    return ("region" not in case["options"]
            and "AWS_REGION" not in case["env"]
            and our.get("region") == case["env"].get("AWS_DEFAULT_REGION"))


@row("botocore", "region endpoint",
     "A profile that is not there stops it altogether; here it stops who looks "
     "for credentials in it.")
def _(case, our, their):
    return (has(case, "no such profile") and not failed(our)
            and "ProfileNotFound" in their.get("error", ""))


@row("SDK", "region endpoint",
     "It takes any scheme and would fail when it sends; only http and https "
     "can be spoken.")
def _(case, our, their):
    return (has(case, "endpoint is no URL")
            and "scheme must be http or https" in our.get("error", "")
            and their.get("endpoint", "ftp:").startswith("ftp:"))


# --- the grammar of the shared files

@row("SDK", "region endpoint credentials",
     "It reads over lines that are no part of the grammar and over files that "
     "cannot be parsed; a file that somebody broke is an error.")
def _(case, our, their):
    return (has(case, *SYNTAX_ERRORS) and " file, line " in our["error"]
            if failed(our) else False)


@row("SDK", "region endpoint credentials",
     "It tells keys apart by case, takes what continues a value for a key, and "
     "knows a section header only if nothing but its name stands between the "
     "brackets and a blank before its comment; the grammar that the other "
     "SDKs share says otherwise.")
def _(case, our, their):
    return has(case, *GRAMMAR_OF_SDK)


@row("botocore", "region endpoint credentials",
     "It reads with Python's configparser, which refuses a section or key "
     "that comes twice, keeps a comment after a value, and the blanks between "
     "the brackets; by the shared grammar sections merge, the last key wins, "
     "and comments and blanks go.")
def _(case, our, their):
    return has(case, *GRAMMAR_OF_BOTOCORE)


@row("botocore", "region endpoint credentials",
     "It stops at a mistake in a section that is none of a profile; such "
     "sections are read over, as whatever they will hold some day.")
def _(case, our, their):
    return (has(case, "a mistake in a section of others",
                "line without equals") and not failed(our)
            and ("sso" in case["facts"] or case["raw"])
            and "ConfigParseError" in their.get("error", ""))


# --- credentials

@row("SDK", "credentials",
     "It prefers AWS_PROFILE to keys in the environment, and says that this "
     "may change; by the guide and botocore only a profile that is given to "
     "the program itself does so.")
def _(case, our, their):
    return ("AWS_PROFILE" in case["env"] and "profile" not in case["options"]
            and "credentials_file" not in case["options"]
            and is_from(our, case["env"].get("AWS_ACCESS_KEY_ID"))
            and (failed(their) or their["key"] != our["key"]))


@row("SDK", "credentials",
     "It goes on to the next source when one that is configured fails, and so "
     "sends with an identity that nobody asked for; here that ends the chain.")
def _(case, our, their):
    return (failed(our) and not failed(their)
            and has(case, "half a pair in the environment"))


@row("SDK", "credentials",
     "It asks for the web identity of the environment last; by the guide and "
     "botocore it comes before keys in a profile.")
def _(case, our, their):
    return ("AWS_WEB_IDENTITY_TOKEN_FILE" in case["env"]
            and has(case, "keys in the default profile")
            and ("AssumeRoleWithWebIdentity" in our.get("token", "")
                 or "with the token in" in our.get("error", ""))
            and their.get("key") == profile_of(case)["aws_access_key_id"])


@row("botocore", "credentials",
     "This release knows neither the addresses of EKS Pod Identity nor a file "
     "for the container's token.")
def _(case, our, their):
    return (has(case, "a pod token with a line end") and failed(our)
            or has(case, "address of EKS") and "Unsupported host" in
            their.get("error", "")
            or "container token file" in case["features"]
            and our.get("token", "").startswith("container;"))


@row("botocore", "credentials",
     "It passes over half a pair in the environment if that is the secret; "
     "half a pair is an error, whichever half.")
def _(case, our, their):
    return (has(case, "half a pair in the environment")
            and "AWS_SECRET_ACCESS_KEY" in case["env"]
            and "no AWS_ACCESS_KEY_ID" in our.get("error", ""))


@row("botocore", "credentials",
     "Here it is pointed at STS by the test, so it sees no conflict between "
     "an endpoint for STS and FIPS or dual stack.")
def _(case, our, their):
    return (has(case, "asks STS")
            and "cannot be used with an endpoint given by" in
            our.get("error", "") and STS_URL in urls_of(case))


@row("SDK", "credentials",
     "It takes any word but false for true in AWS_EC2_METADATA_DISABLED; by "
     "the guide and botocore it is true that counts.")
def _(case, our, their):
    return (has(case, "metadata disabled by 1") and failed(their)
            and our.get("token", "").startswith("instance;"))


@row("SDK", "credentials",
     "When the profile cannot be used, it asks a container; here a profile "
     "that is at fault ends the chain.")
def _(case, our, their):
    return (our.get("error", "").startswith('profile "')
            and is_from(their, CONTAINER_KEY))


@row("SDK", "credentials",
     "It takes the keys beside a role that has no source; a role that cannot "
     "be assumed is an error.")
def _(case, our, their):
    return (has(case, "keys and a role without source")
            and "needs source_profile or credential_source" in
            our.get("error", ""))


@row("SDK", "credentials",
     "It hands a process to a shell; without one, nothing in the line can "
     "mean more than it says, and that is how botocore does it.")
def _(case, our, their):
    return (has(case, "a process with what a shell would do") and failed(our)
            and their.get("key") == "AKIASHELL")


@row("botocore SDK", "credentials",
     "Both send the line end of a token file, which is no part of the token.")
def _(case, our, their):
    return (has(case, "a web token with a line end")
            and "web-named;" in our.get("token", "")
            and "web-named\n;" in their.get("token", ""))


@row("botocore", "credentials",
     "It passes over a duration that is no number; here it is an error.")
def _(case, our, their):
    return (has(case, "a duration that is no number")
            and "duration_seconds" in our.get("error", ""))


@row("SDK", "credentials",
     "When the token for a container cannot be sent, it asks without one; "
     "here a token with a line end is an error.")
def _(case, our, their):
    return (has(case, "a pod token with a line end") and failed(our)
            and ";none;" in their.get("token", ""))


@row("botocore SDK", "credentials",
     "Both refuse credentials that have ended when they are given; here AWS "
     "decides, as it may be the clock of this host that is wrong.")
def _(case, our, their):
    return (has(case, "a process that gives what has ended")
            and our.get("key") == "AKIAENDED" and failed(their))


@row("botocore", "credentials",
     "It looks in one file for both halves of a pair; files merge key by key.")
def _(case, our, their):
    return has(case, "a pair in two files") and not failed(our)


@row("botocore", "credentials",
     "It takes that one of [default] and [profile default] that comes last; "
     "by the grammar it is always the latter.")
def _(case, our, their):
    return (has(case, "profile default first")
            and their.get("key") == "AKIAOTHER" != our.get("key"))


@row("botocore", "region endpoint credentials",
     "It takes an empty AWS_PROFILE for a name; blank variables count as not "
     "set.")
def _(case, our, their):
    return (has(case, "an empty profile variable") and not failed(our)
            and "ProfileNotFound" in their.get("error", ""))


@row("botocore", "credentials",
     "It prefers the older name of the session token; we the one that all "
     "SDKs know.")
def _(case, our, their):
    return (has(case, "both names of the token")
            and our.get("token") == case["env"]["AWS_SESSION_TOKEN"]
            and their.get("token") == "older")


@row("SDK", "credentials",
     "It does not know the older name of the session token, as botocore does.")
def _(case, our, their):
    return (has(case, "the older name of the token",
                "the older name of the token in a profile")
            and (our.get("token"), their.get("token")) == ("older", ""))


@row("botocore", "credentials",
     "It prefers a process to keys in the config file, though not to keys in "
     "the credentials file; by the guide keys come first.")
def _(case, our, their):
    return (has(case, "a process beside keys of the config file")
            and their.get("key") == "AKIAPROCESS" != our.get("key"))


@row("botocore SDK", "credentials",
     "Both allow quotes around a profile's name; the grammar allows none of "
     "the characters that would need them.")
def _(case, our, their):
    return has(case, "a profile in quotes") and failed(our)


@row("botocore SDK", "credentials",
     "botocore and the SDK assume the profile's role before the web identity "
     "of the environment; by the guide what the environment says comes first.")
def _(case, our, their):
    return (has(case, "a web identity beside a role")
            and our.get("token", "").startswith("AssumeRoleWithWebIdentity;")
            and their.get("token", "").startswith("AssumeRole;"))


# --- helpers

def is_from(answer, key):
    """Whether this is the access key, or that of a role that it assumed."""
    return key is not None and (answer.get("key") == key
                                or f";{key}" in answer.get("token", ""))


def plain_url(url):
    """Without what does not matter: capitals in the host, the scheme's own
    port, a slash at the end."""
    scheme, rest = url.split("://", 1) if "://" in url else ("", url)
    host, _, path = rest.partition("/")
    own = {"http": ":80", "https": ":443"}.get(scheme, "-")
    return f"{scheme}://{host.lower().removesuffix(own)}/{path}".rstrip("/")
