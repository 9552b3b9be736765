/** The GraphiQL fetcher: queries and mutations over HTTP, subscriptions over WebSocket (graphql-transport-ws). */

import type { Fetcher, FetcherOpts, FetcherParams } from "@graphiql/toolkit";
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

const NO_CONNECTION = `There is no connection to the router at ${HTTP_URL.host}. Is it running?`;
const ABNORMAL_CLOSURE = 1006;

/** Executes an operation, and sets environment variables from its results. */
export const fetcher: Fetcher = async (params, options) => {
  try {
    return await execute(params, options);
  } catch (error) {
    throw toReadableError(error);
  }
};

function execute(
  params: FetcherParams,
  options?: FetcherOpts,
): AsyncGenerator<ExecutionResult> | Promise<ExecutionResult> {
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
}

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

async function post(body: FetcherParams, headers: Record<string, string>): Promise<ExecutionResult> {
  const request = new Request(HTTP_URL, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const response = await fetch(request).catch(() => {
    throw new Error(NO_CONNECTION);
  });
  const result: ExecutionResult = await response.json().catch(() => {
    throw new Error(`The response is not JSON. Its status is ${response.status}.`);
  });
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

/**
 * What the response pane shows: GraphQL errors, or a message. GraphiQL would also show the stack of an `Error`.
 *
 * graphql-ws throws GraphQL errors, and `CloseEvent`s or other `Event`s of the socket.
 */
function toReadableError(error: unknown): readonly unknown[] | { message: string } {
  if (Array.isArray(error)) {
    return error;
  }
  if (error instanceof CloseEvent && error.code !== ABNORMAL_CLOSURE) {
    return { message: `The connection was closed: ${error.reason || "no reason given"} (${error.code})` };
  }
  return { message: error instanceof Error ? error.message : NO_CONNECTION };
}
