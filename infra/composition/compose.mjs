// Answers one question on standard input with JSON on standard output: a list of lists of
// subgraphs is composed list by list, the text of a supergraph is turned into the public schema its clients see.
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
      return { errors: [`The schema of subgraph "${name}" cannot be read: ${error.message}`] };
    }
  }
  let result;
  try {
    result = composeServices(services);
  } catch (error) {
    return { errors: [`The composer failed: ${error.message}`] };
  }
  if (compositionHasErrors(result)) {
    return { errors: result.errors.map((error) => describe(error)) };
  }
  return { supergraph: result.supergraphSdl, public: result.publicSdl };
}

function describe(error) {
  const code = error.extensions?.code;
  return code ? `${error.message} (${code})` : error.message;
}

function publish(supergraph) {
  return { public: print(transformSupergraphToPublicSchema(parse(supergraph))) };
}

const question = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(Array.isArray(question) ? question.map(compose) : publish(question)));
