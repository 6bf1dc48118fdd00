"""Scripted misbehaviour for the test services.

Each function makes an action for LoopbackService.behave() and .always(): a
callable (handler, request) that returns True when it has dealt with the
request and False when the service shall go on with it.
"""

import select

from connection import Answer


def several(*actions):
    """One after the other, until one has dealt with the request."""
    return lambda handler, request: any(
        action(handler, request) for action in actions)


def well():
    """Answer as a well-behaved service (a place holder between faults)."""
    return lambda handler, request: False


def answer(status, body=b"", headers=(), close=False):
    """Answer with exactly this; nothing is stored."""
    if isinstance(body, str):
        body = body.encode()

    def act(handler, request):
        handler.send(request, Answer(status, body, list(headers), close))
        return True
    return act


def html(status=200):
    """What a captive portal or a proxy puts in the place of an answer."""
    return answer(status, "<!DOCTYPE html><html><body><h1>Please sign in</h1>"
                  "</body></html>", [("Content-Type", "text/html")])


def huge(size=1024 * 1024, status=200, begin=b'{"AccessKeyId": "'):
    """An answer that begins well and has so many bytes."""
    return answer(status, begin.ljust(size, b"x"),
                  [("Content-Type", "application/json")])


def redirect(url, status=302):
    """Send the peer elsewhere."""
    return answer(status, headers=[("Location", url)])


def times(count, action):
    """The action for so many requests; then as a well-behaved service."""
    left = iter(range(count))  # one step of it is atomic

    def act(handler, request):
        return next(left, None) is not None and action(handler, request)
    return act


def refuse(code, message=None, status=None, headers=(), query_error=True):
    """Refuse as the service does, in the protocol of the request.

    `code` is the Query name, such as Throttling, ExpiredToken or
    InternalServiceError. Without `query_error` the header
    x-amzn-query-error is left out, as a front end might."""
    def act(handler, request):
        refusal = handler.service.refusal(request, code, message, status)
        refusal.headers += headers
        if not query_error:
            refusal.headers = [
                (name, value) for name, value in refusal.headers
                if name.lower() != "x-amzn-query-error"]
        handler.send(request, refusal)
        return True
    return act


def delay(seconds):
    """Wait, then go on; a service that is stopped stops waiting."""
    def act(handler, request):
        handler.service.stopping.wait(seconds)
        return False
    return act


def hang():
    """Say nothing until the peer gives up or the service stops."""
    def act(handler, request):
        while not handler.service.stopping.is_set():
            if select.select([handler.connection], [], [], 0.05)[0]:
                break  # the peer has nothing to say but that it goes
        handler.hang_up()
        return True
    return act


def hang_up(store=False):
    """Read the body, close without an answer; `store`: the data counts."""
    return _drop(lambda handler: handler.hang_up(), store)


def reset(store=False):
    """Read the body, reset without an answer; `store`: the data counts."""
    return _drop(lambda handler: handler.reset(), store)


def _drop(end, store):
    def act(handler, request):
        if store:
            handler.service.perform(request)
        end(handler)
        return True
    return act


def reset_request(after=0):
    """Reset while the peer still sends, `after` bytes into its body."""
    def act(handler, request):
        request.body = handler.rfile.read(after)
        handler.reset()
        return True
    act.early = True
    return act


def half_answer(store=True, body=b'{"message": "cut off here"}'):
    """Answer 200, then reset in the middle of the answer's body."""
    def act(handler, request):
        if store:
            handler.service.perform(request)
        handler.send(request, Answer(200, body), cut=len(body) // 2)
        handler.reset()
        return True
    return act
