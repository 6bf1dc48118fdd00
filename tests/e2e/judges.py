"""Others' clients for the test services: botocore, the AWS command line and
http.client. What these can use is as it should be."""

import http.client
import subprocess

import botocore.config
import botocore.exceptions
import botocore.session
import pytest

from scene import MINUTE, REGION


def client(name, service, keys):
    """botocore's client for (key, secret, token or nothing); it tries once
    and leaves it to the service to look at parameters."""
    key, secret, token = (*keys, None)[:3]
    return botocore.session.Session().create_client(
        name, region_name=REGION, endpoint_url=service.url,
        aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token,
        config=botocore.config.Config(
            retries={"max_attempts": 0}, parameter_validation=False))
    


def put(service, keys, at=MINUTE):
    """Publish with these keys; the one that the service saw."""
    client("cloudwatch", service, keys).put_metric_data(
        Namespace="N", MetricData=[
            {"MetricName": "m", "Timestamp": at, "Value": 1}])
    return service.datums[-1]["AccessKey"]


def refused(function, *arguments, **how):
    """(code, status) of the ClientError."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        function(*arguments, **how)
    answer = error.value.response
    return (answer["Error"]["Code"],
            answer["ResponseMetadata"]["HTTPStatusCode"])


def ask(service, method, path, headers=None, body=None):
    """(status, headers, body) by http.client, which adds next to nothing."""
    connection = http.client.HTTPConnection(service.host, service.port,
                                            timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def aws(scene, *words, **environment):
    """The AWS command line, in the network of the scene, with nothing but
    these variables."""
    return subprocess.run(
        [*(scene.network.wrapper if scene.network else ()), "/usr/bin/aws",
         "--no-cli-pager", "--output", "json", *words],
        capture_output=True, text=True, timeout=60, env={
            "PATH": "/usr/bin:/bin", "HOME": str(scene.folder),
            "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1",
            **environment})


def aws_put(scene, service, **environment):
    done = aws(scene, "cloudwatch", "put-metric-data", "--namespace", "N",
               "--metric-name", "m", "--value", "1", "--endpoint-url",
               service.url, **environment)
    assert done.returncode == 0, done.stderr
    return service.datums[-1]["AccessKey"]


def keys_of(answer):
    found = answer["Credentials"]
    return (found["AccessKeyId"], found["SecretAccessKey"],
            found["SessionToken"])
