"""The cases of the differential that were thought of, rather than thrown."""

import json
import random

from chain_case import CONTAINER_URL, STS_URL, Case

MADE = []


def named(make):
    MADE.append(make)
    return make


def cases(folder):
    """Each case, called as its function is."""
    for make in MADE:
        name = make.__name__.replace("_", " ")
        case = Case(random.Random(name), name, folder)
        case.env.update(AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-1",
                        AWS_EC2_METADATA_DISABLED="true",
                        AWS_ENDPOINT_URL_STS=STS_URL)
        case.facts.add(name)
        make(case)
        yield case


def config(case, text):
    case.raw_config = text.replace("    ", "")


PAIR = """aws_access_key_id = AKIAPAIR
    aws_secret_access_key = its secret
    """
ARN = "arn:aws:iam::123456789012:role/named"


@named
def nothing_at_all(case):
    pass


@named
def a_pair_in_two_files(case):
    case.config["default"] = {"aws_access_key_id": "AKIASPLIT"}
    case.credentials["default"] = {"aws_secret_access_key": "its secret"}


@named
def keys_and_a_role_without_source(case):
    case.put("default", {**case.key_pairs(), "role_arn": ARN})


@named
def a_web_identity_beside_a_role(case):
    case.env.update(AWS_ROLE_ARN=ARN, AWS_WEB_IDENTITY_TOKEN_FILE=case.file(
        "token", "web-named"))
    case.put("default", {"role_arn": ARN + "2", "source_profile": "b"})
    case.put("b", case.key_pairs())


@named
def a_web_identity_beside_keys(case):
    case.env.update(AWS_ROLE_ARN=ARN, AWS_WEB_IDENTITY_TOKEN_FILE=case.file(
        "token", "web-named"))
    case.facts.add("keys in the default profile")
    case.put("default", case.key_pairs())


@named
def a_web_identity_without_role(case):
    case.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = case.file("token", "web-named")


@named
def a_web_token_with_a_line_end(case):
    case.env.update(AWS_ROLE_ARN=ARN, AWS_WEB_IDENTITY_TOKEN_FILE=case.file(
        "token", "web-named\n"))


@named
def a_pod_token_with_a_line_end(case):
    case.env.update(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{CONTAINER_URL}/creds",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=case.file("token", "a\r\nb"))


@named
def a_profile_in_quotes(case):
    case.env["AWS_PROFILE"] = "quoted"
    config(case, f"""[profile "quoted"]
    {PAIR}""")


@named
def metadata_disabled_by_1(case):
    case.env["AWS_EC2_METADATA_DISABLED"] = "1"


@named
def metadata_disabled_by_false(case):
    del case.env["AWS_REGION"], case.env["AWS_DEFAULT_REGION"]
    case.env["AWS_EC2_METADATA_DISABLED"] = "false"
    case.features.add("no region")


@named
def metadata_disabled_by_false_and_a_role(case):
    metadata_disabled_by_false(case)
    case.options["role_arn"] = ARN


@named
def a_mistake_in_a_section_of_others(case):
    config(case, f"""[default]
    {PAIR}
    [sso-session x]
    this line has no sign
    """)


@named
def profile_default_first(case):
    config(case, f"""[profile default]
    {PAIR}
    [default]
    aws_access_key_id = AKIAOTHER
    aws_secret_access_key = other
    """)


@named
def profile_default_last(case):
    config(case, f"""[default]
    aws_access_key_id = AKIAOTHER
    aws_secret_access_key = other
    aws_session_token = never
    [profile default]
    {PAIR}""")


@named
def a_config_section_without_profile(case):
    case.env["AWS_PROFILE"] = "work"
    config(case, f"""[work]
    {PAIR}""")


@named
def a_credentials_section_with_profile(case):
    case.env["AWS_PROFILE"] = "work"
    case.credentials["profile work"] = case.key_pairs()


@named
def a_profile_that_is_not_there(case):
    case.env["AWS_PROFILE"] = "nowhere"
    case.facts.add("no such profile")
    case.put("default", case.key_pairs())


@named
def keys_of_the_configuration_and_a_role_that_is_denied(case):
    key, secret, _ = case.keys()
    case.features |= {"AccessKeyId", "RoleArn"}
    case.options.update(access_key_id=key, secret_access_key=secret,
                        role_arn="arn:aws:iam::123456789012:role/denied")


@named
def an_empty_profile_variable(case):
    case.env["AWS_PROFILE"] = ""
    case.put("default", case.key_pairs())


@named
def both_names_of_the_token(case):
    case.env_keys(token=True)
    case.env["AWS_SECURITY_TOKEN"] = "older"


@named
def the_older_name_of_the_token(case):
    case.env_keys(token=False)
    case.env["AWS_SECURITY_TOKEN"] = "older"


@named
def the_older_name_of_the_token_in_a_profile(case):
    case.put("default", {**case.key_pairs(token=False),
                         "aws_security_token": "older"})


@named
def a_process_that_gives_what_has_ended(case):
    path = case.file("ended", json.dumps({
        "Version": 1, "AccessKeyId": "AKIAENDED", "SecretAccessKey": "s",
        "Expiration": "2020-01-01T00:00:00Z"}))
    case.put("default", {"credential_process": f"cat {path}"})


@named
def a_process_beside_keys_of_the_config_file(case):
    path = case.file("its.json", json.dumps({
        "Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s"}))
    case.put("default", {**case.key_pairs(),
                         "credential_process": f"cat {path}"}, "config")


@named
def a_process_beside_keys_of_the_credentials_file(case):
    case.put("default", {"credential_process": "/bin/false"}, "config")
    case.put("default", case.key_pairs(), "credentials")


@named
def a_process_with_what_a_shell_would_do(case):
    path = case.file("its.json", json.dumps({
        "Version": 1, "AccessKeyId": "AKIASHELL", "SecretAccessKey": "s"}))
    case.put("default", {"credential_process": f"cat {path} | cat"})


def with_role(case, **more):
    case.facts.add("asks STS")
    case.put("default", {"role_arn": ARN, "source_profile": "b", **more})
    case.put("b", case.key_pairs())


@named
def a_duration_that_is_no_number(case):
    with_role(case, duration_seconds="an hour")


@named
def a_duration_that_is_too_short(case):
    with_role(case, duration_seconds="60")


@named
def a_session_name_that_STS_refuses(case):
    with_role(case, role_session_name="given a blank")


@named
def an_external_id_that_holds_a_sign(case):
    with_role(case, external_id="a=b+c,d.e@f:g/h-i_j")


@named
def a_source_of_another_case(case):
    case.put("default", {"role_arn": ARN, "credential_source": "environment"})
    case.put("b", case.key_pairs())


@named
def a_loop_of_three(case):
    for this, above in (("default", "a"), ("a", "b"), ("b", "default")):
        case.put(this, {"role_arn": ARN, "source_profile": above})


@named
def a_loop_that_does_not_come_back(case):
    for this, above in (("default", "a"), ("a", "b"), ("b", "a")):
        case.put(this, {"role_arn": ARN, "source_profile": above})


@named
def a_source_without_credentials(case):
    case.put("default", {"role_arn": ARN, "source_profile": "b"})
    case.put("b", {"region": "eu-west-1"})


@named
def seven_roles(case):
    names = ["default"] + [f"r{i}" for i in range(7)]
    for this, above in zip(names, names[1:]):
        case.put(this, {"role_arn": f"{ARN}-{this}", "source_profile": above})
    case.put(names[-1], case.key_pairs())


@named
def a_services_section_that_is_not_there(case):
    case.put("default", {**case.key_pairs(), "services": "nowhere"}, "config")


@named
def a_services_section_before_the_profile(case):
    config(case, f"""[services local]
    sts =
      endpoint_url = http://127.0.0.1:4101
    cloudwatch =
      endpoint_url = http://127.0.0.1:9/from/services
      api_version = x
    s3 =
      endpoint_url = http://wrong.example
    [default]
    services = local
    endpoint_url = http://wrong.example
    {PAIR}""".replace("      ", "  "))


@named
def FIPS_by_yes(case):
    case.env_keys()
    case.env["AWS_USE_FIPS_ENDPOINT"] = "yes"


@named
def FIPS_without_need_of_STS(case):
    case.env_keys()
    case.env["AWS_USE_FIPS_ENDPOINT"] = "true"


@named
def FIPS_with_an_endpoint_for_STS(case):
    case.env["AWS_USE_FIPS_ENDPOINT"] = "true"
    with_role(case)


@named
def a_loop_and_a_container(case):
    case.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{CONTAINER_URL}/creds"
    case.put("default", {"role_arn": ARN, "source_profile": "default"})


@named
def a_named_profile_without_credentials_and_a_container(case):
    case.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{CONTAINER_URL}/creds"
    case.put("work", {"region": "eu-west-1"})
    case.options["profile"] = "work"


@named
def both_container_variables_and_a_profile(case):
    case.env.update(
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/creds",
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{CONTAINER_URL}/creds")
    case.put("default", case.key_pairs())


@named
def a_container_that_answers_HTML(case):
    case.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{CONTAINER_URL}/html"


@named
def values_with_signs_in_them(case):
    config(case, """[default]
    aws_access_key_id = AKIASIGNS
    aws_secret_access_key = a=b#c;d[e]"f'g%(h)s$i
    aws_session_token = =x=
    """)


@named
def a_file_without_an_end(case):
    config(case, "[default]\naws_access_key_id = AKIAEND\n"
           "aws_secret_access_key = last")


@named
def empty_files(case):
    case.raw_config = case.raw_credentials = ""
    case.env_keys()
