"""
A tenant of Entra ID to sign in with on this machine: a Django process of its own, on allauth's OpenID provider.

It has the addresses, claims, limits and Graph call that the portal relies on, and a switch that breaks tokens. It was
written from Microsoft's documentation and is not Entra ID. `make run-entra` starts it next to a portal. Never deploy
it.
"""
