import { URL } from 'node:url';

import type { AxiosRequestConfig } from 'axios';

import { originOf } from '../axios/destination';
import { readAuthorization, takeAuthorization } from '../axios/headers';
import { asRecord } from '../values';

export type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

/** createGuardFor makes the function that returns the guard of a request for `origin`, around the caller's own hook. */
export function createGuardFor(): (origin: string, hook: BeforeRedirect | undefined) => BeforeRedirect {
  /** The guards of requests whose callers have no hook, by origin. */
  const plainGuards = new Map<string, BeforeRedirect>();
  return (origin, hook) => {
    if (hook) return createGuard(origin, hook);
    const guard = plainGuards.get(origin) ?? createGuard(origin, undefined);
    plainGuards.set(origin, guard);
    return guard;
  };
}

/**
 * A guard removes the token from a redirect to any other origin: older versions of axios keep it on a redirect to a subdomain.
 * It judges after the caller's own hook, which may change where the redirect leads.
 */
function createGuard(origin: string, hook: BeforeRedirect | undefined): BeforeRedirect {
  return (options, ...details) => {
    hook?.(options, ...details);
    if (staysAt(origin, options)) return;
    const headers = asRecord(options['headers']);
    takeAuthorization(headers);
    // The hook may have frozen them, or made a list of them.
    if (readAuthorization(headers) !== undefined || Array.isArray(headers))
      Object.assign(options, { headers: {} });
  };
}

/** guardTransport gives a caller's own transport the guard by itself, because axios then passes no `beforeRedirect` to it. */
export function guardTransport(transport: unknown, origin: string): object {
  return {
    request(options: Record<string, unknown>, ...rest: unknown[]): unknown {
      const hook = options['beforeRedirect'] as BeforeRedirect | undefined;
      const guarded = Object.assign(options, { beforeRedirect: createGuard(origin, hook) });
      return (transport as { request(...all: unknown[]): unknown }).request(guarded, ...rest);
    },
  };
}

/** Every part of the options that could decide the destination must name `origin`. */
function staysAt(origin: string, options: Record<string, unknown>): boolean {
  const isPlain = destinationOptions.every((name) => !Object.getOwnPropertyDescriptor(options, name)?.get);
  if (!isPlain) return false;
  const { protocol, hostname, host, port, href, socketPath } = asStrings(options);
  const home = new URL(origin);
  const suffix = port === '' ? '' : `:${port}`;
  const isAtHome = originOf(`${protocol}//${inBrackets(hostname || host)}${suffix}`) === origin;
  const isHostHome = ['', home.host, home.hostname].includes(inBrackets(host, home.host));
  return socketPath === '' && isAtHome && isHostHome && (href === '' || originOf(href) === origin);
}

/** A URL has an IPv6 address in brackets; the options of a request do not. */
function inBrackets(name: string, except?: string): string {
  return name.includes(':') && !name.startsWith('[') && name !== except ? `[${name}]` : name;
}

function asStrings(options: Record<string, unknown>): Record<(typeof destinationOptions)[number], string> {
  const entries = destinationOptions.map((name) => [name, text(options[name])]);
  return Object.fromEntries(entries) as ReturnType<typeof asStrings>;
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : value ? 'unknown' : '';

const destinationOptions = ['protocol', 'hostname', 'host', 'port', 'href', 'socketPath'] as const;
