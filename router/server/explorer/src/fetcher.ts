/** The GraphiQL fetcher: queries and mutations over HTTP, subscriptions over WebSocket (graphql-transport-ws). */

import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import {
  type DefinitionNode,
  type ExecutionResult,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
} from "graphql";
import { createClient } from "graphql-ws";
import { interpolate, saveVariables } from "./environment";

const HTTP_URL = new URL(window.location.pathname, window.location.origin);
const WEBSOCKET_URL = new URL(HTTP_URL.href.replace(/^http/, "ws"));

/** Executes an operation, and sets environment variables from its results. */
export const fetcher: Fetcher = (params, options) => {
  const operation = selectOperation(params);
  const request = {
    query: params.query,
    operationName: operation?.name?.value,
    variables: interpolate(params.variables),
  };
  // Introspection sends no headers, so that the schema loads even if a tab's token is not set or has expired.
  const headers = params.operationName === "IntrospectionQuery" ? {} : interpolate(options?.headers ?? {});
  return operation?.operation === OperationTypeNode.SUBSCRIPTION
    ? subscribe(request, headers)
    : post(request, headers);
};

/** The operation to execute: right after a change of tabs, GraphiQL may still pass the previous tab's name. */
function selectOperation({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  const operations = parseDefinitions(query).filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  return operations.find(({ name }) => name?.value === operationName) ?? operations[0];
}

function parseDefinitions(query: string): readonly DefinitionNode[] {
  try {
    return parse(query).definitions;
  } catch {
    return []; // The router's response has the syntax error.
  }
}

async function post(request: FetcherParams, headers: Record<string, string>): Promise<ExecutionResult> {
  const response = await fetch(HTTP_URL, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const result: ExecutionResult = await response.json();
  saveVariables(result.data);
  return result;
}

async function* subscribe(
  request: FetcherParams,
  headers: Record<string, string>,
): AsyncGenerator<ExecutionResult> {
  const client = createClient({
    url: WEBSOCKET_URL.href,
    connectionParams: headers,
    retryAttempts: 0,
  });
  try {
    for await (const result of client.iterate(request as Parameters<typeof client.iterate>[0])) {
      saveVariables(result.data);
      yield result as ExecutionResult;
    }
  } catch (error) {
    throw toReadableError(error);
  } finally {
    await client.dispose();
  }
}

/** An error for the response pane; graphql-ws throws GraphQL errors, `CloseEvent`s and `Event`s. */
function toReadableError(error: unknown): unknown {
  if (Array.isArray(error)) {
    return error;
  }
  if (error instanceof CloseEvent) {
    return new Error(`The connection was closed: ${error.reason || "no reason given"} (${error.code})`);
  }
  return error instanceof Error ? error : new Error("The WebSocket connection failed.");
}
