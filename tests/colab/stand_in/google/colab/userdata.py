"""Secrets: there are none."""


class SecretNotFoundError(Exception):
    """As in Colab."""


def get(key: str) -> str:
    """Raise as Colab does for a secret that the user has not made."""
    raise SecretNotFoundError(key)
