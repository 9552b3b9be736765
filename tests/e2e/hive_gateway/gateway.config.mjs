import { defineConfig } from "@graphql-hive/gateway";

export const gatewayConfig = defineConfig({
  // The subgraphs verify the caller's token themselves, and know their router by another.
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({
      authorization: request.headers.get("authorization"),
      "x-memorable-service-token": process.env.SERVICE_TOKEN,
    }),
  },
});
