// Looking at values that nobody has checked.

/** isObject tells whether a value has members to look at. */
export function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

/** asRecord lets the members of any value be read: a value without members has none. */
export function asRecord(value: unknown): Readonly<Record<PropertyKey, unknown>> {
  return isObject(value) ? value : {};
}

/** ownRecord copies the own properties of a value, so that a polluted `Object.prototype` adds nothing to it. */
export function ownRecord(value: unknown): Readonly<Record<PropertyKey, unknown>> {
  return Object.assign(
    Object.create(null) as Record<PropertyKey, unknown>,
    isObject(value) ? value : undefined,
  );
}

/** defineOwn defines a property. What somebody put on `Object.prototype` is not taken for a part of its description. */
export function defineOwn(holder: object, key: PropertyKey, description: PropertyDescriptor): boolean {
  return Reflect.defineProperty(holder, key, ownRecord(description));
}

/**
 * parseJson parses a string, also behind a byte order mark. Other values are returned as they are, and a string that is not
 * JSON is `undefined`.
 */
export function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/**
 * parseHttpDate returns the epoch milliseconds of a date in a header, or `undefined`. Such a date is in UTC, also in the form
 * that names no zone, {@link https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 RFC 9110 §5.6.7}.
 */
export function parseHttpDate(header: unknown): number | undefined {
  const value = String(header);
  if (!/^[A-Za-z]{3,9},? /.test(value)) return undefined;
  const date = Date.parse(/(?:\d:\d\d| \d{4})$/.test(value) ? `${value} GMT` : value);
  return Number.isNaN(date) ? undefined : date;
}
