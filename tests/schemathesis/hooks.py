"""Checks of our own, beside those that Schemathesis brings."""

import schemathesis
from schemathesis import GenerationMode

# Public answers. All others depend on the caller.
PUBLIC = {"/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/docs/"}

# What a schema cannot express: relations between values, and to stored data.
BEYOND_A_SCHEMA = {"disagrees", "unknown_reference", "inactive_user", "invalid_cursor"}

SOMETIMES = {
    ("/reason", "required"),
    ("/reason", "blank"),
    ("/invoiceRef", "required"),
    ("/invoiceRef", "blank"),
    ("/minutes", "required"),
    ("/hours", "out_of_range"),
}


def header(response, name):
    return ", ".join(response.headers.get(name, []))


@schemathesis.check
def has_a_request_id(context, response, case):
    """Every answer names its request, and a problem names the same one in its body."""
    name = header(response, "x-request-id")
    assert name, "there is no X-Request-Id"
    if header(response, "content-type") == "application/problem+json" and response.content:
        told = response.json().get("requestId")
        assert told == name, f"the body tells {told}, the header {name}"


@schemathesis.check
def caching_headers_protect_private_answers(context, response, case):
    """Every answer has Cache-Control; a private one also has Vary by the headers of the key."""
    control = header(response, "cache-control")
    assert control, "there is no Cache-Control"
    if case.operation.path in PUBLIC:
        return
    assert "private" in control or "no-store" in control, f"Cache-Control: {control}"
    vary = header(response, "vary").lower()
    assert "authorization" in vary and "x-api-key" in vary, f"Vary: {vary}"


@schemathesis.check
def valid_request_is_refused_only_for_a_known_reason(context, response, case):
    """A request that the document allows is refused with 400 only for what a schema cannot express.

    It replaces `positive_data_acceptance`, which knows no such reasons.
    """
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if response.status_code != 400:
        return
    # A link from a member that is null.
    if "None" in map(str, (case.path_parameters or {}).values()):
        return
    problem = response.json()
    strict = "handling=strict" in str((case.headers or {}).get("Prefer", ""))
    for error in problem.get("errors", [{"code": problem["code"]}]):
        reason = error["code"] in BEYOND_A_SCHEMA
        reason = reason or (strict and error["code"] == "unknown_member")
        # What only some actions need; the duration, which has two members.
        reason = reason or (error.get("pointer"), error["code"]) in SOMETIMES
        # A range of days that ends before it begins.
        reason = reason or (error.get("parameter") == "from" and error["code"] == "out_of_range")
        assert reason, f"{error}"
