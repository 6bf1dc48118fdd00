"""The errors of AWS, in the spellings of both protocols."""

_MODEL = "com.amazonaws.cloudwatch.v2010_08_01#"
_FRONT = "com.amazon.coral.service#"
_CHECK = "com.amazon.coral.validate#"

# Query code: name in JSON, status in Query, status in JSON
ERRORS = {
    "InvalidParameterValue":
        (_MODEL + "InvalidParameterValueException", 400, 400),
    "InvalidParameterCombination":
        (_MODEL + "InvalidParameterCombinationException", 400, 400),
    "MissingParameter":
        (_MODEL + "MissingRequiredParameterException", 400, 400),
    "InvalidNextToken": (_MODEL + "InvalidNextToken", 400, 400),
    "InternalServiceError": (_MODEL + "InternalServiceFault", 500, 500),
    "InternalFailure": (_FRONT + "InternalFailure", 500, 500),
    "ServiceUnavailable":
        (_FRONT + "ServiceUnavailableException", 503, 503),
    "ValidationError": (_CHECK + "ValidationException", 400, 400),
    # JSON that does not fit the shape; in Query, parameters that do not
    "InvalidQueryParameter": (_FRONT + "SerializationException", 400, 400),
    "MalformedQueryString": (_FRONT + "SerializationException", 400, 400),
    "MalformedHttpRequestException":
        (_FRONT + "MalformedHttpRequestException", 400, 400),
    "InvalidAction": (_FRONT + "UnknownOperationException", 400, 400),
    "MissingAction": (_FRONT + "UnknownOperationException", 400, 400),
    "RequestEntityTooLarge":
        (_FRONT + "RequestEntityTooLargeException", 413, 413),
    "Throttling": (_FRONT + "ThrottlingException", 400, 400),
    "LimitExceeded": (_MODEL + "LimitExceededException", 400, 400),
    "RequestTimeout": (_FRONT + "RequestTimeoutException", 400, 400),
    "MissingAuthenticationToken":
        (_FRONT + "MissingAuthenticationTokenException", 403, 400),
    "IncompleteSignature":
        (_FRONT + "IncompleteSignatureException", 400, 400),
    "InvalidClientTokenId":
        (_FRONT + "UnrecognizedClientException", 403, 403),
    "SignatureDoesNotMatch":
        (_FRONT + "InvalidSignatureException", 403, 400),
    "ExpiredToken": (_FRONT + "ExpiredTokenException", 403, 400),
    "RequestExpired": (_FRONT + "RequestExpired", 400, 400),
    "AccessDenied": (_FRONT + "AccessDeniedException", 403, 403),
    "OptInRequired": (_FRONT + "OptInRequired", 403, 403),
    # of STS, which has the same names in JSON
    "ExpiredTokenException": ("ExpiredTokenException", 400, 400),
    "InvalidIdentityToken": ("InvalidIdentityToken", 400, 400),
    "IDPCommunicationError": ("IDPCommunicationError", 400, 400),
    "IDPRejectedClaim": ("IDPRejectedClaim", 403, 403),
    "RegionDisabledException": ("RegionDisabledException", 403, 403),
    "MalformedPolicyDocument": ("MalformedPolicyDocument", 400, 400),
    "PackedPolicyTooLarge": ("PackedPolicyTooLarge", 400, 400),
}


class AwsError(Exception):
    """A refusal by its Query code; `status` overrides the usual one."""

    def __init__(self, code, message=None, status=None):
        super().__init__(code, message)
        if code not in ERRORS:
            raise ValueError(f"{code} is not a known error code")
        self.code = code
        self.message = message or code
        self.status = status


class Findings:
    """Several faults of one request; the first decides the code and the
    message has one line for each."""

    def __init__(self):
        self._code = None
        self._lines = []

    def add(self, code, line):
        self._code = self._code or code
        self._lines.append(line)

    def check(self):
        """Raise what was found, if anything."""
        if self._lines:
            raise AwsError(self._code, "\n".join(self._lines))
