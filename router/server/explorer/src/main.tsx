/** The explorer: GraphiQL for the endpoint that serves it, with example operations as its default tabs. */

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./explorer.css";
import { GraphiQL, type GraphiQLProps } from "graphiql";
import { createRoot } from "react-dom/client";
import { fetcher } from "./fetcher";

const EXAMPLES_URL = "/explorer/examples.json";
const TAB_STATE_KEY = "graphiql:tabState";

type Tabs = NonNullable<GraphiQLProps["defaultTabs"]>;

/** The props for the initial tabs: none if GraphiQL has stored those of an earlier visit, else the examples. */
async function loadInitialProps(): Promise<Partial<GraphiQLProps>> {
  const response = await fetch(EXAMPLES_URL);
  const examples: Tabs = response.ok ? await response.json() : [];
  if (examples.length === 0 || localStorage.getItem(TAB_STATE_KEY) !== null) {
    return {};
  }
  // GraphiQL fills only the query editor from the first tab, so the other editors need props of their own.
  const [{ query, variables, headers }] = examples;
  return {
    defaultTabs: examples,
    initialQuery: query ?? "",
    initialVariables: variables ?? "",
    initialHeaders: headers ?? "",
  };
}

createRoot(document.getElementById("explorer")!).render(
  <GraphiQL
    {...await loadInitialProps()}
    defaultEditorToolsVisibility="headers"
    fetcher={fetcher}
    shouldPersistHeaders
  >
    <GraphiQL.Logo>
      <a className="memorable" href="/graphql">
        Memorable
      </a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
