"""An app built on Authlib as its documentation shows it, and a person who signs in through the pages.

Takes the settings as JSON on standard input; prints what it saw as one JSON object. Whatever Authlib refuses
ends it with a traceback.
"""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet


class FirstForm(HTMLParser):
    """The page's first form: where it goes, its hidden fields, and the names of the others."""

    def __init__(self, page):
        super().__init__()
        self.action = None
        self.hidden = {}
        self.names = set()
        self.ended = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if self.ended:
            return
        if tag == "form":
            self.action = attrs["action"]
        if tag in ("input", "button") and "name" in attrs:
            self.names.add(attrs["name"])
            if attrs.get("type") == "hidden":
                self.hidden[attrs["name"]] = attrs["value"]

    def handle_endtag(self, tag):
        self.ended = self.ended or tag == "form"


class Browser:
    """Cookies, redirects and forms; stops at an address that isn't the issuer's."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.session = requests.Session()

    def sign_in(self, url, email, password):
        answer = self.open("GET", url)
        while answer is not None:
            form = FirstForm(answer.text)
            typed = {"email": email, "password": password} if "password" in form.names else {"decision": "allow"}
            answer = self.open("POST", urljoin(self.url, form.action), {**form.hidden, **typed})
        return self.url

    def open(self, method, url, form=None):
        self.url = url
        if not url.startswith(f"{self.issuer}/"):
            return None
        answer = self.session.request(method, url, data=form, allow_redirects=False)
        answer.raise_for_status()
        if answer.is_redirect:
            return self.open("GET", urljoin(url, answer.headers["location"]))
        return answer


class ApiTokens(JWTBearerTokenValidator):
    """What an API that is built on Authlib checks (RFC 9068 section 4)."""

    def __init__(self, issuer, audience, keys):
        super().__init__(issuer=issuer, resource_server=audience)
        self.keys = keys

    def get_jwks(self):
        return self.keys

    def accept(self, token, scope):
        claims = self.authenticate_token(token)
        self.validate_token(claims, [scope], None)
        return dict(claims)


def discover(issuer):
    found = requests.get(get_well_known_url(issuer, external=True))
    found.raise_for_status()
    metadata = OpenIDProviderMetadata(found.json())
    metadata.validate()
    keys = requests.get(metadata["jwks_uri"])
    keys.raise_for_status()
    return metadata, keys.json()


def checked_id_token(token, keys, issuer, client_id, nonce):
    """OpenID Connect Core section 3.1.3.7."""
    decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"value": issuer}, "aud": {"value": client_id}},
        params={"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    return dict(claims)


def error_of(call):
    try:
        call()
    except OAuthError as error:
        return error.error
    return None


def main(settings):
    issuer = settings["issuer"]
    metadata, keys = discover(issuer)
    client_id = settings["client"]["id"]
    app = OAuth2Session(
        client_id,
        settings["client"]["secret"],
        scope="openid email contracts:read",
        redirect_uri=settings["client"]["redirectUri"],
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    )
    verifier, nonce = generate_token(48), generate_token()
    url, state = app.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    callback = Browser(issuer).sign_in(url, settings["email"], settings["password"])
    redeem = {"authorization_response": callback, "state": state}
    wrong = error_of(lambda: app.fetch_token(code_verifier=generate_token(48), **redeem))
    token = dict(app.fetch_token(code_verifier=verifier, **redeem))
    api = ApiTokens(issuer, settings["audience"], keys)
    seen = {
        "returned": {name: value[0] for name, value in parse_qs(urlsplit(callback).query).items()},
        "state": state,
        "wrongVerifier": wrong,
        "token": token,
        "nonce": nonce,
        "idToken": checked_id_token(token, keys, issuer, client_id, nonce),
        "accessToken": api.accept(token["access_token"], "contracts:read"),
        "userinfo": UserInfo(app.get(metadata["userinfo_endpoint"]).json()),
    }

    refreshed = dict(app.refresh_token())
    seen["refreshed"] = refreshed
    seen["refreshedIdToken"] = checked_id_token(refreshed, keys, issuer, client_id, None)
    seen["refreshedAccessToken"] = api.accept(refreshed["access_token"], "contracts:read")

    def introspect():
        return app.introspect_token(
            metadata["introspection_endpoint"], token=refreshed["access_token"], token_type_hint="access_token"
        ).json()

    def revoke(name):
        return app.revoke_token(
            metadata["revocation_endpoint"], token=refreshed[name], token_type_hint=name
        ).status_code

    seen["introspected"] = introspect()
    seen["revoked"] = [revoke("access_token"), revoke("refresh_token")]
    seen["afterRevocation"] = introspect()
    seen["refreshAfterRevocation"] = error_of(lambda: app.refresh_token(refresh_token=refreshed["refresh_token"]))

    service = OAuth2Session(settings["service"]["id"], settings["service"]["secret"], scope="contracts:read")
    machine = service.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    seen["service"] = {"token": machine, "accessToken": api.accept(machine["access_token"], "contracts:read")}
    return seen


print(json.dumps(main(json.load(sys.stdin))))
