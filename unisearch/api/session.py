"""A browser that gave the token once: its cookie, and the form that asks for the token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from http.cookies import CookieError, SimpleCookie

COOKIE = "unisearch_session"
#: So long a browser is not asked again; it is when the server was started anew.
LASTS_S = 30 * 24 * 3_600
#: Where the token is asked for: open to all who pass the rest of the guard.
LOGIN = "/login"

_KEY = secrets.token_bytes(32)

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>unisearch: {title}</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}
body{{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem}}
input,button{{font:inherit;width:100%;box-sizing:border-box;padding:.6rem;margin:.4rem 0}}</style>
</head><body><main><h1>unisearch</h1>
"""
FORM = (
    _HEAD.replace("{title}", "token")  # the reason is filled in later
    + """<form method="post" action="/login"><label for="token">Token of this server</label>
<input id="token" name="token" type="password" autocomplete="current-password" autofocus required>
<button>Open the library</button></form><p role="alert">{reason}</p></main></body></html>
"""
)
LOST = (
    _HEAD.format(title="no such page")
    + """<p>There is no such page.</p><p><a href="/">Search the library</a></p></main></body></html>
"""
)


def is_token(token: str, token_sha256: str) -> bool:
    """Whether that is the token, found in the same time for every wrong one."""
    found = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    return hmac.compare_digest(found, token_sha256)


def new_session(token_sha256: str) -> str:
    """A cookie's value that this process takes for a while instead of the token."""
    ends = str(int(time.time()) + LASTS_S)
    return f"{ends}.{_sealed(ends, token_sha256)}"


def is_session(cookies: str, token_sha256: str) -> bool:
    """Whether a Cookie header holds a session of ours that has not ended."""
    try:
        morsel = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return False
    ends, _, seal = (morsel.value if morsel else "").partition(".")
    if not (ends.isascii() and ends.isdecimal() and len(ends) < 12 and seal.isascii()):
        return False
    return hmac.compare_digest(seal, _sealed(ends, token_sha256)) and int(ends) > time.time()


def _sealed(ends: str, token_sha256: str) -> str:
    return hmac.new(_KEY, f"{token_sha256}.{ends}".encode(), hashlib.sha256).hexdigest()
