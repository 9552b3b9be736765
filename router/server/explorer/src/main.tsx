/** The explorer: GraphiQL over this very address, with the examples the router serves. */

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./explorer.css";
import { GraphiQL, type GraphiQLProps } from "graphiql";
import { createRoot } from "react-dom/client";
import { fetcher } from "./fetcher";

const EXAMPLES = "/explorer/examples.json";

const response = await fetch(EXAMPLES);
const examples: NonNullable<GraphiQLProps["defaultTabs"]> = response.ok ? await response.json() : [];

createRoot(document.getElementById("explorer")!).render(
  <GraphiQL
    defaultEditorToolsVisibility="headers"
    defaultTabs={examples.length > 0 ? examples : undefined}
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
