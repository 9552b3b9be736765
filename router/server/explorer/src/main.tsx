/** The explorer: GraphiQL over this very address, with the examples the router serves. */

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./explorer.css";
import { GraphiQL, type GraphiQLProps } from "graphiql";
import { createRoot } from "react-dom/client";
import { fetcher } from "./fetcher";

const EXAMPLES = "/explorer/examples.json";
const STORED_TABS = "graphiql:tabState";

type Tabs = NonNullable<GraphiQLProps["defaultTabs"]>;

/** What GraphiQL opens with: the tabs of the last visit, or else the examples. */
async function opening(): Promise<Partial<GraphiQLProps>> {
  const response = await fetch(EXAMPLES);
  const examples: Tabs = response.ok ? await response.json() : [];
  if (examples.length === 0 || localStorage.getItem(STORED_TABS) !== null) {
    return {};
  }
  // GraphiQL fills only the query editor from the first tab; the other two have to be told.
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
    {...await opening()}
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
