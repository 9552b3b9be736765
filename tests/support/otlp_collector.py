"""An OTLP/HTTP collector that records the spans it receives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True)
class Span:
    """A received span."""

    trace_id: str
    id: str
    parent_id: str
    name: str
    kind: str
    start_time: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]]
    failed: bool
    message: str


@dataclass
class Collector:
    """The received bodies, their spans, and the resource attributes."""

    bodies: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)

    def build_app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/traces", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        assert request.headers["content-type"] == "application/x-protobuf"
        body = await request.body()
        self.bodies.append(body)
        for process in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = _parse_attributes(process.resource.attributes)
            self.spans += (_parse_span(each) for scope in process.scope_spans for each in scope.spans)
        answer = ExportTraceServiceResponse().SerializeToString()
        return Response(answer, media_type="application/x-protobuf")

    def find_spans(self, name: str, trace_id: str | None = None) -> list[Span]:
        """Finds the spans of a name, of all traces or of one, by start time."""
        found = (span for span in self.spans if span.name == name and trace_id in (None, span.trace_id))
        return sorted(found, key=lambda span: span.start_time)

    def render_tree(self, trace_id: str) -> str:
        """Renders the spans of a trace as an indented tree, with their kinds unless internal."""
        spans = sorted(
            (each for each in self.spans if each.trace_id == trace_id), key=lambda each: each.start_time
        )
        known = {each.id for each in spans}
        return "\n".join(
            line for each in spans if each.parent_id not in known for line in _render_span(each, spans, 0)
        )


def _render_span(span: Span, spans: list[Span], depth: int) -> Iterator[str]:
    kind = "" if span.kind == "INTERNAL" else f"{span.kind} "
    yield f"{'  ' * depth}{kind}{span.name}"
    for each in spans:
        if each.parent_id == span.id:
            yield from _render_span(each, spans, depth + 1)


def _parse_span(span: ProtoSpan) -> Span:
    return Span(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.start_time_unix_nano,
        _parse_attributes(span.attributes),
        [(event.name, _parse_attributes(event.attributes)) for event in span.events],
        [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        span.status.code == Status.STATUS_CODE_ERROR,
        span.status.message,
    )


def _parse_attributes(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in attributes}
