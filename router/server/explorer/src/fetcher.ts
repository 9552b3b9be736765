/** How GraphiQL reaches the API: HTTP for queries and mutations, graphql-transport-ws for subscriptions. */

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
import { fill, remember } from "./memory";

const ENDPOINT = new URL(window.location.pathname, window.location.origin);
const SOCKET = new URL(ENDPOINT.href.replace(/^http/, "ws"));

/** Runs one operation and remembers what it answers. */
export const fetcher: Fetcher = (params, options) => {
  const operation = chosenOperation(params);
  const request = {
    query: params.query,
    operationName: operation?.name?.value,
    variables: fill(params.variables),
  };
  // The schema is read without headers, so that a tab whose token is not there yet, or is old, still completes.
  const headers = params.operationName === "IntrospectionQuery" ? {} : fill(options?.headers ?? {});
  return operation?.operation === OperationTypeNode.SUBSCRIPTION
    ? subscribe(request, headers)
    : post(request, headers);
};

/** The operation that runs: GraphiQL's own idea of it lags behind for a moment when the tab changes. */
function chosenOperation({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  const operations = definitions(query).filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  return operations.find(({ name }) => name?.value === operationName) ?? operations[0];
}

function definitions(query: string): readonly DefinitionNode[] {
  try {
    return parse(query).definitions;
  } catch {
    return []; // The API says what is wrong with it.
  }
}

async function post(request: FetcherParams, headers: Record<string, string>): Promise<ExecutionResult> {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const answer: ExecutionResult = await response.json();
  remember(answer.data);
  return answer;
}

async function* subscribe(
  request: FetcherParams,
  headers: Record<string, string>,
): AsyncGenerator<ExecutionResult> {
  const client = createClient({
    url: SOCKET.href,
    connectionParams: headers,
    retryAttempts: 0,
  });
  try {
    for await (const answer of client.iterate(request as Parameters<typeof client.iterate>[0])) {
      remember(answer.data);
      yield answer as ExecutionResult;
    }
  } catch (problem) {
    throw explained(problem);
  } finally {
    await client.dispose();
  }
}

/** What graphql-ws throws, as something a person can read in the answer's place. */
function explained(problem: unknown): unknown {
  if (Array.isArray(problem)) {
    return problem;
  }
  if (problem instanceof CloseEvent) {
    return new Error(`The connection was closed: ${problem.reason || "no reason given"} (${problem.code})`);
  }
  return problem instanceof Error ? problem : new Error("The WebSocket connection failed.");
}
