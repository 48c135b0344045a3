/** parseJson parses text; what is no text is taken as it is, and what is no JSON is nothing. */
export function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // Nor is it what was asked for.
  }
  return undefined;
}

export function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

/** asRecord lets the members of a value be looked at, whatever it is. */
export function asRecord(value: unknown): Readonly<Record<PropertyKey, unknown>> {
  return isObject(value) ? value : {};
}
