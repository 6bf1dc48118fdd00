"""The two protocols of CloudWatch: AWS JSON 1.0 and AWS Query.

Shapes come from botocore's model of CloudWatch. Debian's botocore knows the
service as Query only; the shapes are the same in JSON.
"""

import json
import re
import urllib.parse
import uuid
import zlib

import botocore.loaders
import botocore.model

from aws_error import ERRORS, AwsError
from aws_shapes import (from_json, from_query, to_json, to_xml, tree_of,
                        xml_text)
from connection import Answer

VERSION = "2010-08-01"
TARGET = "GraniteServiceVersion20100801"
NAMESPACE = f"http://monitoring.amazonaws.com/doc/{VERSION}/"
# Both before and after compression. AWS says "1 MB" and neither which one
# nor which side of it; a sender must hold in every reading.
SIZE_LIMIT = 1_000_000

SERVICE = botocore.model.ServiceModel(
    botocore.loaders.create_loader().load_service_model(
        "cloudwatch", "service-2", api_version=VERSION), "cloudwatch")

def decompress(request):
    """The body without its Content-Encoding. AwsError where it has none of
    that form, or more bytes than SIZE_LIMIT before or after."""
    coding = request.headers.get("content-encoding", "identity").lower()
    plain = request.body
    if coding == "gzip":
        unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            # 64 MB tell the size of an honest mistake and stop a bomb.
            plain = unzip.decompress(request.body, 1 << 26)
        except zlib.error as e:
            raise AwsError("MalformedHttpRequestException",
                           f"The request body is not gzip: {e}") from e
        if not unzip.unconsumed_tail and (
                not unzip.eof or unzip.unused_data):
            raise AwsError("MalformedHttpRequestException",
                           "The request body is not one whole gzip member")
    elif coding != "identity":
        raise AwsError("MalformedHttpRequestException",
                       f"Unknown Content-Encoding {coding!a}")
    size = max(len(request.body), len(plain))
    if size > SIZE_LIMIT:
        raise AwsError("RequestEntityTooLarge",
                       f"Request size {size} exceeded {SIZE_LIMIT} bytes")
    return plain


def of(request):
    """The protocol that a request speaks, by its headers."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if "x-amz-target" in request.headers or kind != Query.content_type and (
            request.method == "POST"):
        return Json()
    return Query()


class Json:
    """AWS JSON 1.0, with the query-compatible error header."""

    content_type = "application/x-amz-json-1.0"

    def operation(self, request):
        target = request.headers.get("x-amz-target", "")
        prefix, _, name = target.partition(".")
        return name if prefix == TARGET else None

    def read(self, request, findings):
        kind = request.headers.get("content-type")
        if kind != self.content_type:
            raise AwsError("InvalidAction",
                           f"Content-Type is {kind!a}, not "
                           f"{self.content_type}")
        if request.method != "POST":
            raise AwsError("InvalidAction", "AWS JSON is sent by POST")
        try:
            tree = json.loads(request.decoded.decode("utf-8"),
                              object_pairs_hook=_once,
                              parse_constant=_no_constant)
        except (ValueError, RecursionError) as e:
            raise AwsError("InvalidQueryParameter",
                           f"The body is not JSON: {e}") from e
        return from_json(_input_shape(request), tree, "", findings)

    def success(self, request, output):
        shape = SERVICE.operation_model(request.operation).output_shape
        tree = to_json(shape, output) if shape else {}
        return self._answer(200, tree)

    def failure(self, request, error):
        name, _, status = ERRORS[error.code]
        status = error.status or status
        # The one fault whose message has a capital letter.
        key = "Message" if name.endswith("InternalServiceFault") else (
            "message")
        answer = self._answer(status, {"__type": name, key: error.message})
        if request.headers.get("x-amzn-query-mode", "").lower() == "true":
            answer.headers.append(
                ("x-amzn-query-error", f"{error.code};{_blame(status)}"))
        answer.code = name.rpartition("#")[2]
        answer.message = error.message
        return answer

    def _answer(self, status, tree):
        body = json.dumps(tree).encode()
        return Answer(status, body, [("x-amzn-RequestId", _request_id()),
                                     ("Content-Type", self.content_type)])


class Query:
    """AWS Query: a form goes in, XML comes out. Of CloudWatch, unless a
    derived class says otherwise."""

    content_type = "application/x-www-form-urlencoded"
    service, version, namespace = SERVICE, VERSION, NAMESPACE

    def operation(self, request):
        try:
            return self._form(request).get("Action")
        except AwsError:
            return None

    def read(self, request, findings):
        form = self._form(request)
        if form.pop("Version", self.version) != self.version:
            raise AwsError("InvalidAction",
                           f"Could not find the operation "
                           f"{request.operation} of that version")
        form.pop("Action")
        shape = self.service.operation_model(request.operation).input_shape
        return from_query(shape, tree_of(form), "", findings)

    def _form(self, request):
        query = urllib.parse.urlsplit(request.path).query
        try:
            text = (request.decoded or b"").decode("ascii")
            form = {}
            for part in filter(None, f"{query}&{text}".split("&")):
                name, sign, value = part.partition("=")
                name, value = map(_unquote, (name, value))
                if not sign or name in form:
                    raise ValueError(f"{name!a} twice or without a value")
                form[name] = value
            return form
        except ValueError as e:
            raise AwsError("MalformedQueryString",
                           f"The form cannot be read: {e}") from e

    def success(self, request, output):
        model = self.service.operation_model(request.operation)
        name, shape = request.operation, model.output_shape
        inner = ""
        if shape:
            wrapper = shape.serialization["resultWrapper"]
            inner = f"<{wrapper}>{to_xml(shape, output)}</{wrapper}>"
        ident = _request_id()
        return self._answer(200, ident, (
            f'<{name}Response xmlns="{self.namespace}">{inner}'
            f"<ResponseMetadata><RequestId>{ident}</RequestId>"
            "</ResponseMetadata>"
            f"</{name}Response>"))

    def failure(self, request, error):
        status = error.status or ERRORS[error.code][1]
        ident = _request_id()
        answer = self._answer(status, ident, (
            f'<ErrorResponse xmlns="{self.namespace}"><Error>'
            f"<Type>{_blame(status)}</Type><Code>{error.code}</Code>"
            f"<Message>{xml_text(error.message)}</Message></Error>"
            f"<RequestId>{ident}</RequestId></ErrorResponse>"))
        answer.code, answer.message = error.code, error.message
        return answer

    def _answer(self, status, ident, xml):
        return Answer(status, xml.encode(), [("x-amzn-RequestId", ident),
                                             ("Content-Type", "text/xml")])


def _request_id():
    return str(uuid.uuid4())


def _blame(status):
    return "Receiver" if status >= 500 else "Sender"


def _input_shape(request):
    return SERVICE.operation_model(request.operation).input_shape


def _unquote(text):
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise ValueError(f"bad percent sign in {text[:80]!a}")
    return urllib.parse.unquote_plus(text, errors="strict")


def _once(pairs):
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a member occurs twice")
    return tree


def _no_constant(text):
    raise ValueError(f"{text} is not a JSON number")
