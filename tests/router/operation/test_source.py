"""Places in a document are those that graphql-core finds, however long the document is."""

from graphql import Source, parse
from hypothesis import given
from hypothesis import strategies as st

from router.operation.source import DocumentSource


@given(st.data())
def test_a_place_has_the_line_and_column_that_graphql_core_counts(data: st.DataObject):
    text = data.draw(st.text(alphabet="ab\n\r\u2028é"))
    position = data.draw(st.integers(0, len(text)))
    if text[position - 1 : position + 1] != "\r\n":
        assert DocumentSource(text).get_location(position) == Source(text).get_location(position)


def test_a_document_is_parsed_as_from_any_text():
    assert parse(DocumentSource("{\n a\r\n b }")).to_dict() == parse("{\n a\r\n b }").to_dict()
