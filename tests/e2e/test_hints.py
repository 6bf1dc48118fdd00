"""What a person reads when AWS, or what is on the way to it, says no: the code,
the message and the id of the request as AWS gave them, and what to do about it,
by the names of the options.  Messages are as people quote them and AWS
documents them, or made by the loopback services."""

import collections
import re
import socket

import pytest

import faults
from authority import Authority
from scene import REGION, config, publish, without_keys

ROLE = 'arn:aws:iam::111122223333:role/publisher'
ID = '0c0ffee0-0000-4000-8000-00000000abcd'
PUT = 'cloudwatch:PutMetricData'
USER = ('User: arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0 '
        f'is not authorized to perform: {PUT}')
INVALID = 'The security token included in the request is invalid.'

ALLOW = f'allow {PUT} on resource * in '
DENY = f'have {PUT} on resource * excepted from the Deny in '
FITS = ' (a condition on cloudwatch:namespace must fit Namespace)'
KEYS = ('check that the access key exists, in this partition (aws, aws-cn, '
        'aws-us-gov), that one of ASIA... has its session token, and that the '
        'account has enabled the Region (opt-in), where tokens of the global '
        'STS endpoint may not count')
CLOCK = ('set the clock of this host: chronyc makestep, or timedatectl set-ntp '
         'true')


def line_with(daemon, remedy, reason=''):
    """The line with the reason, whose remedy stands behind it."""
    return daemon.wait_for(
        rf'\[warning\] write_cloudwatch plugin: .*{reason}.*{re.escape(remedy)}'
        '.*; the data (wait|are kept) and (are )?sent later$').string


MANY = {f'm{i}': i for i in range(400)}  # few are not worth compressing


def start(scene, service, data={'load': 1}, uses=(), **options):
    daemon = scene.start(config(service, **options), uses=uses)
    publish(daemon, **data)
    return daemon


# ---- codes of AWS -----------------------------------------------------------

Row = collections.namedtuple('Row', 'code message remedy')


def implicit(kind):
    return f'{USER} because no {kind} allows the {PUT} action'


CODES = {
    'no policy': Row('AccessDenied', implicit('identity-based policy'),
                     ALLOW + 'a policy of this identity' + FITS),
    'no words': Row('AccessDenied', 'Access denied',
                    ALLOW + 'a policy of this identity' + FITS),
    'a resource': Row('AccessDenied', f'{USER} on resource: arn:aws:x:::y',
                      f'allow {PUT} on resource arn:aws:x:::y in a policy of '
                      'this identity' + FITS),
    'boundary': Row('AccessDenied', implicit('permissions boundary'),
                    ALLOW + 'the permissions boundary of this identity' + FITS),
    'session': Row('AccessDenied', implicit('session policy'), ALLOW + 'the '
                   'session policy that the role was assumed with' + FITS),
    'endpoint policy': Row('AccessDenied', implicit('VPC endpoint policy'),
                           ALLOW + 'the policy of the VPC endpoint' + FITS),
    'organization': Row(
        'AccessDenied',
        USER + ' with an explicit deny in a service control policy',
        DENY + "the organization's service control policies"),
    'a Deny': Row('AccessDenied', USER + ' with an explicit deny',
                  DENY + 'a policy of this identity, its permissions boundary, '
                  'the organization or a VPC endpoint'),
    'clock': Row('SignatureDoesNotMatch', 'Signature expired: 20260101T000000Z '
                 'is now earlier than 20260101T001000Z (20260101T001500Z - 5 '
                 'min.)', CLOCK),
    'clock by code': Row('RequestExpired', 'Request has expired.', CLOCK),
    'secret': Row('SignatureDoesNotMatch', 'The request signature we '
                  'calculated does not match the signature you provided.',
                  'check Region, the secret access key and the clock of this '
                  'host, and that no proxy changes headers'),
    'service': Row('SignatureDoesNotMatch', "Credential should be scoped to "
                   "correct service: 'logs'.", "the host that answered is "
                   "another service's: correct the URL of the endpoint"),
    'compression': Row('MalformedHttpRequestException', 'Cannot be decoded.',
                       'the endpoint may not know compression: try Compression '
                       'false'),
}


@pytest.mark.parametrize('protocol', ['json', 'query'])
@pytest.mark.parametrize('label', CODES)
def test_code(scene, label, protocol):
    row = CODES[label]
    service = scene.service()
    service.always(faults.refuse(row.code, row.message, headers=[
        ('x-amzn-RequestId', ID)]))
    daemon = start(scene, service, Protocol=protocol)
    assert re.search(
        rf' answered {row.code} \(status 40[03]\): {re.escape(row.message)} '
        rf'\[request {ID}\]: {re.escape(row.remedy)}; the data wait',
        line_with(daemon, row.remedy)), daemon.log


def test_a_code_of_another_service(scene):
    """EC2's name for a denial, which emulators take over."""
    service = scene.service()
    service.always(faults.answer(
        403, '{"__type": "UnauthorizedOperation", "message": "You are not '
        'authorized to perform this operation."}'))
    line = line_with(start(scene, service),
                     ALLOW + 'a policy of this identity' + FITS)
    assert ': You are not authorized to perform this operation. [' in line


def test_a_key_that_is_not_known(scene):
    service = scene.service()
    line = line_with(start(scene, service, AccessKeyId='AKIADELETED'), KEYS)
    assert re.search(r' answered InvalidClientTokenId \(status 403\): '
                     rf'{re.escape(INVALID)} \[request [-0-9a-f]+\]: ', line)


def test_a_key_without_its_session_token(scene):
    service, keys = scene.service(), scene.keyring.issue()
    line = line_with(start(scene, service, AccessKeyId=keys.key,
                           SecretAccessKey=keys.secret), KEYS)
    assert re.search(r' answered InvalidClientTokenId .*\[request ', line)


def test_an_endpoint_of_another_region(scene):
    service = scene.service(region='us-west-2')
    line = line_with(start(scene, service), 'the host that answered is of '
                     'another region: correct Region, or the URL of the '
                     'endpoint')
    assert re.search(r' answered SignatureDoesNotMatch \(status 40[03]\): '
                     'Credential should be scoped to a valid region.*'
                     r'\[request [-0-9a-f]+\]: ', line)


def test_an_endpoint_that_knows_no_json(scene):
    """And takes the data when told as the line says."""
    service = scene.service()
    refuse = faults.refuse('InvalidAction', 'Unknown.', query_error=False)
    service.always(lambda handler, request: (
        'x-amz-target' in request.headers and refuse(handler, request)))
    line = line_with(start(scene, service), 'the endpoint may not know the '
                     'JSON protocol: try Protocol "query"')
    assert re.search(r' answered UnknownOperationException \(status 40[04]\): '
                     r'Unknown\. \[request [-0-9a-f]+\]: ', line)
    start(scene, service, Protocol='query')
    service.wait_datums(1, 10)


@pytest.mark.parametrize('refuse', [
    faults.refuse('MalformedHttpRequestException', 'No gzip.'),
    faults.answer(415, 'Unsupported Media Type')], ids=['code', '415'])
def test_an_endpoint_that_knows_no_gzip(scene, refuse):
    """And takes the data when told as the line says."""
    service = scene.service()
    service.always(lambda handler, request: (
        'content-encoding' in request.headers and refuse(handler, request)))
    line_with(start(scene, service, data=MANY), 'Compression false')
    start(scene, service, data=MANY, Compression=False)
    service.wait_datums(len(MANY), 10)


# ---- STS --------------------------------------------------------------------

def test_a_role_that_may_not_be_assumed(scene):
    """In the words of STS, which name the identity, and with its id."""
    service, sts = scene.service(), scene.sts()
    daemon = start(scene, service, RoleArn=ROLE, uses=[sts])
    line = line_with(daemon, f'allow sts:AssumeRole on resource {ROLE} in a '
                     'policy of the identity that asks, and to that identity '
                     'and its external id in the trust policy of the role')
    assert re.search(r' answered AccessDenied \[request [-0-9a-f]+\]; allow '
                     r'.*; it says: User: arn:\S+ is not authorized to perform: '
                     f'sts:AssumeRole on resource: {ROLE};', line)


def test_a_web_identity_that_is_not_trusted(scene):
    service, sts = scene.service(), scene.sts()
    sts.web_tokens['web-token'] = None
    scene.secrets.add('web-token')
    daemon = scene.start(
        without_keys(service), uses=[sts], files={'token': 'web-token'},
        environment={'AWS_ROLE_ARN': ROLE,
                     'AWS_WEB_IDENTITY_TOKEN_FILE': '{home}/token'})
    publish(daemon, load=1)
    line = line_with(daemon, f'allow sts:AssumeRoleWithWebIdentity on resource '
                     f'{ROLE} in the trust policy of the role, to the issuer, '
                     'audience and subject of the token')
    assert 'it says: Not authorized to perform sts:AssumeRoleWith' in line


def test_sts_in_a_region_to_opt_in_to(scene):
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE)
    sts.always(faults.refuse('InvalidClientTokenId', INVALID))
    daemon = start(scene, service, RoleArn=ROLE, uses=[sts])
    assert f'it says: {INVALID}' in line_with(daemon, KEYS)


# ---- on the way -------------------------------------------------------------

PAGES = {
    'captive portal': (faults.html(200), "sign in at the network's login page, "
                       'or see what Endpoint, Proxy and NoProxy lead to'),
    'login page': (faults.html(511), "sign in at the network's login page, or "
                   'name a Proxy'),
    'redirect': (faults.redirect('http://127.0.0.1:9/'), 'redirects are not '
                 'followed: see what Endpoint and Proxy name'),
    'filter': (faults.html(403), 'have the proxy or firewall on the way let '
               'requests to this host through, or name it in NoProxy'),
    'another host': (faults.html(404), "see whether Endpoint is CloudWatch's; "
                     'if it knows no JSON, write Protocol "query"'),
    'login': (faults.html(407), 'write the login of the proxy into Proxy, or '
              'the host into NoProxy'),
    'gateway': (faults.html(502), 'the proxy, or what stands before AWS, '
                'cannot reach it: see Proxy and NoProxy, and if it lasts, AWS Health'),
}


@pytest.mark.parametrize('label', PAGES)
def test_page(scene, label):
    action, remedy = PAGES[label]
    service = scene.service()
    service.always(action)
    line = line_with(start(scene, service), remedy)
    assert ', but not in the way AWS does (a proxy or a login page' in line


@pytest.mark.parametrize('status, remedy', [
    (407, 'write its login into Proxy, or the host into NoProxy'),
    (403, 'it has to let this host through, or write the host into NoProxy'),
    (503, 'it cannot reach the host, see Endpoint, or write the host into '
     'NoProxy')])
def test_connect_refused_by_the_proxy(scene, status, remedy):
    proxy = scene.proxy()
    proxy.refuses = status
    daemon = start(scene, None, Proxy=proxy.url)
    assert (f'cannot reach monitoring.{REGION}.amazonaws.com (the proxy '
            f'answered {status}; {remedy})') in line_with(daemon, remedy)


def unused_port():
    with socket.create_server(('127.0.0.1', 0)) as one:
        return one.getsockname()[1]


def test_nobody_listens(scene):
    port = unused_port()
    daemon = start(scene, None, Endpoint=f'http://127.0.0.1:{port}')
    line_with(daemon, 'see Endpoint and Proxy, nothing listens there',
              rf'cannot reach 127.0.0.1:{port} \(Connection refused; ')


def test_no_such_name(scene):
    daemon = start(scene, None, Endpoint='http://monitoring.invalid')
    line_with(daemon, "see Region, Endpoint and this host's DNS, or name a "
              'Proxy', r'cannot reach monitoring.invalid \(its name could not ')


def test_nobody_answers_in_time(scene):
    service = scene.service()
    service.always(faults.hang())
    line_with(start(scene, service, Timeout=0.5),
              'see what slows requests, or raise Timeout', 'no answer from ')


@pytest.mark.parametrize('trusted', [None, 'none.pem'])
def test_certificates(scene, trusted):
    authority = Authority(scene.folder)
    service = scene.service(tls=authority.issue('127.0.0.1'))
    options = {'CACert': f'{scene.folder}/{trusted}'} if trusted else {}
    if trusted:
        (scene.folder / trusted).write_text('not one\n')
    line_with(start(scene, service, **options),
              'correct CACert, CAPath or AWS_CA_BUNDLE, or install the '
              "system's ca-certificates" if trusted else
              'name who issued it with CACert', r'cannot reach \S+ \(')
