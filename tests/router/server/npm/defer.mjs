// Apollo Client with its handler of incremental delivery: what a component would see of a deferred fragment.
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQL17Alpha9Handler } from "@apollo/client/incremental";

const [url] = process.argv.slice(2);
const client = new ApolloClient({
  link: new HttpLink({ uri: url }),
  cache: new InMemoryCache(),
  incrementalHandler: new GraphQL17Alpha9Handler(),
});
const query = gql`{ books { id title ... @defer { stars } } }`;
const seen = [];
await new Promise((resolve, reject) => {
  client.watchQuery({ query, notifyOnNetworkStatusChange: true }).subscribe({
    next({ data, dataState }) {
      if (data) seen.push({ dataState, books: data.books });
      if (dataState === "complete") resolve();
    },
    error: reject,
  });
});
client.stop();
console.log(JSON.stringify(seen));
