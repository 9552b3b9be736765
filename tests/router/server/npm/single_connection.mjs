// The official client in single connection mode: two operations side by side, one of which is ended by us.
import { createClient } from "graphql-sse";

const [url] = process.argv.slice(2);
const client = createClient({ url, singleConnection: true, retryAttempts: 0 });

const silence = client.iterate({ query: "subscription { silence { title } }" });
const published = client.iterate({ query: "subscription { published { title stars } }" });

const received = [(await silence.next()).value];
for await (const result of published) received.push(result);
await silence.return();
console.log(JSON.stringify(received));
