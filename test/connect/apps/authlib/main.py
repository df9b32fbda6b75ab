"""The app of the page docs/connect/authlib.md (gatehouse.py), with an address for each step of the test."""

import os

from gatehouse import app, oauth, session, tokens


@app.get("/")
def home():
    return {"signedIn": session.get("id") in tokens}


@app.get("/call")
def call():
    return oauth.gatehouse.get(os.environ["API_URL"]).json()


@app.get("/refresh")
def refresh():
    """Calls userinfo with a token that has expired, so the library refreshes it first."""
    before = dict(tokens[session["id"]])
    tokens[session["id"]]["expires_at"] = 1
    oauth.gatehouse.userinfo()
    after = tokens[session["id"]]
    return {
        "newAccessToken": after["access_token"] != before["access_token"],
        "newRefreshToken": after["refresh_token"] != before["refresh_token"],
    }


app.run("127.0.0.1", int(os.environ["PORT"]))
