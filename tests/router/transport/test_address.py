"""Parsing the URLs of subgraphs."""

from pathlib import Path

import pytest

from router.app import create_app
from router.config.settings import load
from router.config.traffic import TlsFiles
from router.transport.address import Address, UnusableAddressError
from tests.support.planning import SUPERGRAPHS

UNUSABLE = [
    "",
    "/graphql",
    "ftp://127.0.0.1/",
    "http:///graphql",
    "http://127.0.0.1:99999/graphql",
    "http://127.0.0.1:abc/graphql",
    "http://127.0.0.1:0/graphql",
    f"http://{'a' * 64}.example/graphql",
    "http://a..example/graphql",
    "http://exa mple/graphql",
    "http://example/\r\nx: y",
    "http://[::1/graphql",
]


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_unusable_url_is_refused(url: str):
    with pytest.raises(UnusableAddressError):
        Address.parse(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "head"),
    [
        ("http://a.example", "a.example", 80, "POST / HTTP/1.1\r\nhost: a.example\r\n"),
        ("http://[::1]:81/g?a=b", "::1", 81, "POST /g?a=b HTTP/1.1\r\nhost: [::1]:81\r\n"),
        (
            "http://bücher.example:8080/größe",
            "xn--bcher-kva.example",
            8080,
            "POST /gr%C3%B6%C3%9Fe HTTP/1.1\r\nhost: xn--bcher-kva.example:8080\r\n",
        ),
    ],
)
def test_an_address_has_the_host_the_port_and_the_head_of_its_requests(
    url: str, host: str, port: int, head: str
):
    address = Address.parse(url)
    assert (address.host, address.port, address.head, address.basic) == (host, port, head, None)


def test_the_credentials_of_a_url_appear_only_in_the_authorization_header():
    address = Address.parse("http://user:p%40ss@a.example/graphql")
    assert address.basic == "Basic dXNlcjpwQHNz"
    assert address.url == "http://a.example/graphql"
    assert address.head == "POST /graphql HTTP/1.1\r\nhost: a.example\r\n"
    with pytest.raises(UnusableAddressError) as refused:
        Address.parse("http://user:secret@a.example:99999/")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", UNUSABLE[1:])
def test_an_unusable_subgraph_url_prevents_the_start_and_is_named(url: str):
    with pytest.raises(ValueError, match=r"the subgraph 'a' \(A_URL\) is invalid"):
        create_app(load(supergraph=SUPERGRAPHS / "single.graphql", subgraph_urls={"a": url}))


@pytest.mark.parametrize(
    ("field", "kind"), [("ca", "CA certificates"), ("certificate", "client certificate")]
)
def test_unreadable_certificates_are_reported_at_startup(tmp_path: Path, field: str, kind: str):
    file = tmp_path / "file.pem"
    file.write_text("nothing")
    with pytest.raises(UnusableAddressError, match=rf"the {kind} cannot be read from .*file\.pem"):
        Address.parse("https://a.example/", TlsFiles.model_validate({field: file}))


def test_a_key_without_its_certificate_is_refused(tmp_path: Path):
    file = tmp_path / "key.pem"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="a key needs its certificate"):
        TlsFiles(key=file)
