"""TLS to subgraphs: the certificates that the router trusts, and its client certificate."""

from __future__ import annotations

import ssl

from router.config.traffic import TlsFiles


class UnusableTlsError(ValueError):
    """The files cannot be used; the message names them."""


def create_tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Creates the context for connections.

    Raises:
        UnusableTlsError: a file has no certificates, or no key that fits.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (OSError, ssl.SSLError) as error:
        raise UnusableTlsError(
            f"the CA certificates cannot be read from {str(files.ca)!r}: {error}"
        ) from None
    if files.certificate:
        try:
            context.load_cert_chain(files.certificate, files.key)
        except (OSError, ssl.SSLError) as error:
            reason = f"the client certificate cannot be read from {str(files.certificate)!r}: {error}"
            raise UnusableTlsError(reason) from None
    return context
