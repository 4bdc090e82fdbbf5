"""Checks of our own, beside those that Schemathesis brings: what every answer has, whatever was asked."""

import schemathesis


@schemathesis.check
def has_a_request_id(context, response, case):
    """Every answer names its request, and a problem names the same one in its body."""
    identifier = response.headers.get("x-request-id", [""])[0]
    assert identifier, "the answer has no X-Request-Id"
    if response.headers.get("content-type", [""])[0] == "application/problem+json" and response.content:
        told = response.json().get("requestId")
        assert told == identifier, f"the body tells {told}, the header {identifier}"


@schemathesis.check
def is_kept_from_shared_caches(context, response, case):
    """What depends on who asks is private, and says on what it depends."""
    if case.operation.path in PUBLIC:
        return
    control = response.headers.get("cache-control", [""])[0]
    vary = ", ".join(response.headers.get("vary", [])).lower()
    assert "private" in control or "no-store" in control, f"Cache-Control: {control}"
    for name in ("authorization", "x-api-key"):
        assert name in vary, f"Vary: {vary}"


@schemathesis.check
def is_not_a_server_error(context, response, case):
    """Nothing that a client can send is answered with 5xx."""
    assert response.status_code < 500, f"{response.status_code}"


PUBLIC = {"/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs/", "/docs"}
