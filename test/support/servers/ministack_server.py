"""Starts ministack. Version 1.5.33 follows redirects of a service and drops all of its headers but one, so its HTTP proxy is
replaced here by one that passes both on, as API Gateway does. It also verifies the name of the service (`tlsConfig`), says
who called in `Forwarded`. A custom domain takes all of its paths: ministack would answer some of them itself, as Cognito."""

import asyncio
import http.client
import json
import socket
import ssl
import urllib.parse

from ministack import app as program
from ministack.services import apigateway

# Headers between two neighbours (RFC 9110 section 7.6.1), and those that the connection sets itself.
NOT_PASSED_ON = {"host", "content-length", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "forwarded"}

create_integration = apigateway._create_integration


def create_integration_with_tls(api_id, data):
    status, headers, body = create_integration(api_id, data)
    created = json.loads(body)
    if "integrationId" in created and data.get("tlsConfig"):
        apigateway._integrations[api_id][created["integrationId"]]["tlsConfig"] = data["tlsConfig"]
    return status, headers, body


def connect(url, name, timeout):
    """A connection to the service. With https, its certificate must have the name, or else the host of the URL."""
    port = url.port or (443 if url.scheme == "https" else 80)
    connection = http.client.HTTPConnection(url.hostname, port, timeout=timeout)
    if url.scheme == "https":
        plain = socket.create_connection((url.hostname, port), timeout)
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=name or url.hostname)
    return connection


def call(integration, path, method, headers, body, query):
    url = urllib.parse.urlsplit(integration["integrationUri"])
    pairs = [(key, value) for key, values in (query or {}).items() for value in (values if isinstance(values, list) else [values])]
    target = url.path.rstrip("/") + urllib.parse.quote(path, safe="/:@!$&'()*+,;=~%") + ("?" + urllib.parse.urlencode(pairs) if pairs else "")
    name = (integration.get("tlsConfig") or {}).get("serverNameToVerify")
    sent = {key: value for key, value in headers.items() if key.lower() not in NOT_PASSED_ON}
    given = {key.lower(): value for key, value in headers.items()}
    address = given.get("x-forwarded-for", "127.0.0.1").split(",")[-1].strip()
    sent["Forwarded"] = f"by=127.0.0.1;for={address};host={given.get('host', '')};proto=https"
    sent["Host"] = name or url.netloc
    connection = connect(url, name, apigateway._PROXY_TIMEOUT_SECONDS)
    try:
        connection.request(method, target, body=body or None, headers=sent)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    passed = {}
    for key, value in answer.getheaders():
        if key.lower() == "set-cookie":
            passed.setdefault("Set-Cookie", []).append(value)
        elif key.lower() not in NOT_PASSED_ON:
            passed[key] = value
    return answer.status, passed, content


async def invoke_http_proxy(integration, path, method, headers, body, query):
    try:
        return await asyncio.to_thread(call, integration, path, method, headers, body, query)
    except (OSError, http.client.HTTPException) as error:
        print(f"{integration['integrationUri']}{path}: {error}", flush=True)
        return 500, {"Content-Type": "application/json"}, b'{"message": "Internal Server Error"}'


answer_any = program.app


async def app(scope, receive, send):
    if scope["type"] == "http":
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")
        domain = program._resolve_custom_domain_request(host, scope["path"])
        if domain is not None:
            prefix = f"/_aws/execute-api/{domain[0]}/{domain[1]}"
            scope = {**scope, "path": prefix + scope["path"], "raw_path": prefix.encode() + scope["raw_path"]}
    await answer_any(scope, receive, send)


program.app = app
apigateway._create_integration = create_integration_with_tls
apigateway._invoke_http_proxy = invoke_http_proxy
program.main()
