"""The cookies of identity, written so that no other host, no script and no other site's form can use them."""

from typing import Final

SESSION: Final = "__Host-lianxin"
SIGN_IN: Final = "__Host-lianxin-sign-in"  # a sign-in under way
DEVICE: Final = "__Host-lianxin-device"  # a browser that has signed in before
VISIT: Final = "__Host-lianxin-visit"  # on its way to the provider and back


def set_cookie(name: str, value: str, *, max_age: int | None = None) -> str:
    """The value of a Set-Cookie header. Without an age it ends with the browser."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"


def drop_cookie(name: str) -> str:
    return set_cookie(name, "", max_age=0)
