import { defineConfig } from "@graphql-hive/gateway";

export const gatewayConfig = defineConfig({
  // The subgraphs verify the caller's token themselves.
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") }),
  },
});
