"""The router's own bench: what one wide query over four quick subgraphs costs it."""
