import { defineConfig } from "vite";

export default defineConfig({
  base: "/explorer/",
  build: {
    // Monaco, the editor inside GraphiQL, is one large module by nature.
    chunkSizeWarningLimit: 8000,
  },
});
