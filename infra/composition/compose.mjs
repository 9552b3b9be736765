// Reads one JSON request from standard input and writes the JSON result to standard output.
// A list of graphs, each a list of subgraphs, is composed graph by graph; a supergraph SDL yields its public schema.
import { text } from "node:stream/consumers";
import {
  composeServices,
  compositionHasErrors,
  transformSupergraphToPublicSchema,
} from "@theguild/federation-composition";
import { parse, print } from "graphql";

function compose(subgraphs) {
  const services = [];
  for (const { name, url, schema } of subgraphs) {
    try {
      services.push({ name, url, typeDefs: parse(schema) });
    } catch (error) {
      return { errors: [`The schema of subgraph "${name}" cannot be parsed: ${error.message}`] };
    }
  }
  let result;
  try {
    result = composeServices(services);
  } catch (error) {
    return { errors: [`The composer failed: ${error.message}`] };
  }
  if (compositionHasErrors(result)) {
    return { errors: result.errors.map((error) => format(error)) };
  }
  return { supergraph: result.supergraphSdl, public: result.publicSdl };
}

function format(error) {
  const code = error.extensions?.code;
  return code ? `${error.message} (${code})` : error.message;
}

function publicSchema(supergraph) {
  return { public: print(transformSupergraphToPublicSchema(parse(supergraph))) };
}

const request = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(Array.isArray(request) ? request.map(compose) : publicSchema(request)));
