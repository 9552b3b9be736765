/**
 * Environment variables for the variables and headers editors, written `{{name}}` as in Apollo Sandbox.
 *
 * They are set from responses, so that one example tab can use the result of another: `{{accessToken}}` is the
 * last value of a field `accessToken` in any response. `{{random}}` is a new random string on every run.
 */

const STORAGE_KEY = "memorable:environment";
const PLACEHOLDER = /\{\{(\w+)\}\}/g;
const SINGLE_PLACEHOLDER = /^\{\{(\w+)\}\}$/;

type Scalar = string | number | boolean;

const environment = new Map<string, Scalar>(
  JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "[]"),
);

/** Sets an environment variable for every scalar field in the data of a response, named by its response name. */
export function saveVariables(data: unknown): void {
  saveFields(data);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify([...environment]));
}

/**
 * Replaces the placeholders in a JSON value.
 *
 * A string that is only a placeholder becomes the variable's value with its type. Throws if a variable is not set.
 */
export function interpolate<T>(value: T): T {
  if (typeof value === "string") {
    return interpolateString(value) as T;
  }
  if (Array.isArray(value)) {
    return value.map(interpolate) as T;
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, interpolate(child)]),
    ) as T;
  }
  return value;
}

function interpolateString(text: string): Scalar {
  const single = SINGLE_PLACEHOLDER.exec(text);
  if (single) {
    return getVariable(single[1]);
  }
  return text.replace(PLACEHOLDER, (_, name: string) => String(getVariable(name)));
}

function getVariable(name: string): Scalar {
  if (name === "random") {
    return crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  }
  const value = environment.get(name);
  if (value === undefined) {
    throw new Error(
      `{{${name}}} is not set: run the tab whose response has a field "${name}" first, or replace it with a value.`,
    );
  }
  return value;
}

function saveFields(value: unknown, name?: string): void {
  if (Array.isArray(value)) {
    value.forEach((item) => saveFields(item, name));
  } else if (value !== null && typeof value === "object") {
    Object.entries(value).forEach(([key, child]) => saveFields(child, key));
  } else if (name !== undefined && value !== null && value !== undefined) {
    environment.set(name, value as Scalar);
  }
}
