"""Locations in a document equal those of graphql-core."""

from graphql import Source, parse
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.common.source import DocumentSource


@given(st.data())
def test_a_location_has_the_line_and_column_of_graphql_core(data: st.DataObject):
    text = data.draw(st.text(alphabet="ab\n\r\u2028é"))
    position = data.draw(st.integers(0, len(text)))
    if text[position - 1 : position + 1] != "\r\n":
        assert DocumentSource(text).get_location(position) == Source(text).get_location(position)


def test_a_document_source_is_parsed_like_plain_text():
    assert parse(DocumentSource("{\n a\r\n b }")).to_dict() == parse("{\n a\r\n b }").to_dict()
