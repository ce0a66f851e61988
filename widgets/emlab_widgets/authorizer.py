"""What a page's server lets those do who have its token: look at the pages, and press what is on them."""

from __future__ import annotations

from typing import Any, Final

from jupyter_server.auth import Authorizer

_ALLOWED: Final = {("read", "kernels"), ("execute", "kernels"), ("read", "kernelspecs"), ("read", "api")}


class PageAuthorizer(Authorizer):
    """Refuses whatever the pages do not need: files, terminals, new kernels, notebooks of one's own.

    Kernels are started by Voila for the pages alone, and take no code (``allowed_message_types``).
    """

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Whether a request may be served; by its HTTP method and what it is about."""
        return (action, resource) in _ALLOWED
