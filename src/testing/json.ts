/** What `JSON.parse` can return. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export type JsonObject = { [key: string]: JsonValue };

/** jsonObject reads a body that must be a JSON object; `undefined` if it is anything else. */
export function jsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value = JSON.parse(body.toString()) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
