/**
 * Values remembered from earlier answers, so that one example tab can use what another one produced.
 *
 * `{{accessToken}}` in the headers or variables stands for the last `accessToken` any answer contained;
 * `{{random}}` stands for a few random characters, new on every run.
 */

const STORAGE_KEY = "memorable:remembered";
const PLACEHOLDER = /\{\{(\w+)\}\}/g;

type Scalar = string | number | boolean;

const remembered = new Map<string, Scalar>(
  JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "[]"),
);

/** Keeps every scalar of an answer under its response name. */
export function remember(answer: unknown): void {
  collect(answer);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify([...remembered]));
}

/** Fills the placeholders in a header or variable value; says which tab is missing when one is unknown. */
export function fill<T>(value: T): T {
  if (typeof value === "string") {
    return fillString(value) as T;
  }
  if (Array.isArray(value)) {
    return value.map(fill) as T;
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fill(part)])) as T;
  }
  return value;
}

function fillString(text: string): Scalar {
  const alone = /^\{\{(\w+)\}\}$/.exec(text);
  if (alone) {
    return recall(alone[1]);
  }
  return text.replace(PLACEHOLDER, (_, name: string) => String(recall(name)));
}

function recall(name: string): Scalar {
  if (name === "random") {
    return crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  }
  const value = remembered.get(name);
  if (value === undefined) {
    throw new Error(
      `{{${name}}} is not known yet: run the tab whose answer has a field "${name}" first, or put a value in its place.`,
    );
  }
  return value;
}

function collect(part: unknown, name?: string): void {
  if (Array.isArray(part)) {
    part.forEach((item) => collect(item, name));
  } else if (part !== null && typeof part === "object") {
    Object.entries(part).forEach(([key, value]) => collect(value, key));
  } else if (name !== undefined && part !== null && part !== undefined) {
    remembered.set(name, part as Scalar);
  }
}
