"""How what one flush cuts is divided into requests: as few as CloudWatch's
limits allow."""

import pytest

from scene import Scene, answered, config, names, publish

DATA_MAX = 1000
BODY_MAX = 1_000_000
# Ten KB of dimensions: bytes bind long before the number of data does.
LONG = [f'Dimension "{letter}" "{letter * 1000}"' for letter in 'ABCDEFGHIJ']


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        yield one


def send(scene, n, *lines, **options):
    """The requests of one flush of so many series, which all have come."""
    service = scene.service()
    daemon = scene.start(config(service, *lines, MaxMetrics=n, **options))
    values = {f'm{i:04}': 1 for i in range(n)}
    publish(daemon, **values)
    assert names(service.wait_datums(n, 60)) == sorted(values)
    requests = answered(service)
    assert all(request.status == 200 for request in requests)
    assert all(len(request.decoded) <= BODY_MAX for request in requests)
    return requests


def test_a_flush_makes_full_requests(scene):
    requests = send(scene, 2500)
    assert sorted(request.accepted for request in requests) == [
        500, DATA_MAX, DATA_MAX]
    bodies = sum(len(request.body) for request in requests)
    assert bodies < 10 * 2500  # compressed, as data that are much alike can be


@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_bytes_bind_before_the_number(scene, protocol):
    """There is no request but the last that could have held one more."""
    requests = send(scene, 250, *LONG, Protocol=protocol)
    sizes = sorted(len(request.decoded) for request in requests)
    datum = max(len(request.decoded) // request.accepted
                for request in requests)
    assert len(sizes) == -(-250 // max(r.accepted for r in requests)) > 2
    assert all(size > BODY_MAX - datum for size in sizes[1:]), sizes
