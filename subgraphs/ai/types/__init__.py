"""The ai domain's part of the graph."""

from subgraphs.ai.types.generation import Book, Generation, GenerationStep, Illustration, Info, Page

__all__ = ["Book", "Generation", "GenerationStep", "Illustration", "Info", "Page"]
