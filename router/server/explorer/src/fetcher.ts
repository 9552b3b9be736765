/** How GraphiQL reaches the API: HTTP for queries and mutations, graphql-transport-ws for subscriptions. */

import type { Fetcher, FetcherOpts, FetcherParams } from "@graphiql/toolkit";
import { type DocumentNode, type ExecutionResult, Kind, OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { fill, remember } from "./memory";

const ENDPOINT = new URL(window.location.pathname, window.location.origin);
const SOCKET = new URL(ENDPOINT.href.replace(/^http/, "ws"));

/** Runs one operation and remembers what it answers. */
export const fetcher: Fetcher = (params, options) => {
  const request = { ...params, variables: fill(params.variables) };
  // The schema is read without headers, so that a tab whose token is not there yet, or is old, still completes.
  const headers = params.operationName === "IntrospectionQuery" ? {} : fill(options?.headers ?? {});
  return isSubscription(params, options?.documentAST)
    ? subscribe(request, headers)
    : post(request, headers);
};

function isSubscription(params: FetcherParams, document: FetcherOpts["documentAST"]): boolean {
  const operations = (document as DocumentNode | undefined)?.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const chosen = operations?.find(
    ({ name }) => !params.operationName || name?.value === params.operationName,
  );
  return chosen?.operation === OperationTypeNode.SUBSCRIPTION;
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
