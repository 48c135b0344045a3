import http from 'node:http';
import { URL } from 'node:url';

import type { AxiosRequestConfig } from 'axios';

import { asRecord, isObject } from '../values';
import { parseUrl } from './destination';

/** The part of a config that decides about proxies. */
type Routing = Pick<AxiosRequestConfig, 'proxy' | 'httpsAgent'>;

/**
 * proxyOf returns the proxy, as host and port, that a config or the environment names for an https request to `origin`. An
 * agent that goes through a proxy comes first. The rules for the environment are those of the newest axios: `https_proxy` or
 * `all_proxy`, unless `no_proxy` names the host.
 */
export function proxyOf(origin: string, { proxy, httpsAgent }: Routing): string | undefined {
  return agentProxyOf(httpsAgent) ?? optionOrEnvironment(proxy, variables, () => isExempt(new URL(origin)));
}

/**
 * possibleProxyOf returns the proxy that any version of axios would use. Versions differ in how they read `no_proxy`, and older
 * ones also read npm's configuration.
 */
export function possibleProxyOf(origin: string, { proxy }: Routing): string | undefined {
  const names = [...variables, ...npmVariables];
  return optionOrEnvironment(proxy, names, () => isCertainlyExempt(new URL(origin)));
}

const variables = ['https_proxy', 'all_proxy'];
const npmVariables = ['npm_config_https_proxy', 'npm_config_proxy'];

function optionOrEnvironment(
  option: Routing['proxy'],
  names: readonly string[],
  isExempted: () => boolean,
): string | undefined {
  if (option === false) return undefined;
  if (option) {
    // A function with these members is taken for a proxy too.
    const { hostname, host, port = '' } = option as { hostname?: string; host?: string; port?: unknown };
    return hostAndPort(`http://${hostname ?? host ?? ''}:${String(port)}`);
  }
  const value = names.map(variable).find((found) => found !== '');
  if (value === undefined || isExempted()) return undefined;
  return hostAndPort(value.includes('://') ? value : `http://${value}`);
}

/** agentProxyOf returns the proxy that an agent says it goes through, as the usual proxy agents do. */
function agentProxyOf(agent: unknown): string | undefined {
  const { proxy } = asRecord(agent);
  const { href } = asRecord(proxy);
  return typeof href === 'string' ? hostAndPort(href) : undefined;
}

/**
 * directAgent returns an agent that connects to an http host without a proxy: the given one, unless it names a proxy or is
 * not an agent of Node. `undefined` stands for Node's global agent, before and after.
 */
export function directAgent(agent: unknown): unknown {
  return isDirect(agent ?? http.globalAgent) ? agent : new http.Agent();
}

/** Proxy agents have their proxy in `proxy`, or look it up for each request. Since Node 24 Node's own agents can have one. */
function isDirect(agent: unknown): boolean {
  if (!(agent instanceof http.Agent) || 'proxy' in agent || 'getProxyForUrl' in agent) return false;
  return asRecord(asRecord(agent)['options'])['proxyEnv'] === undefined;
}

/** Stands for a proxy whose URL cannot be read. */
export const UNREADABLE_PROXY = 'the configured proxy';

/** nameOfProxy names a proxy within a sentence. */
export const nameOfProxy = (proxy: string): string =>
  proxy === UNREADABLE_PROXY ? proxy : `the proxy ${proxy}`;

/** Nothing else of a proxy's URL is shown, since it may hold a password. */
function hostAndPort(url: string): string {
  return parseUrl(url)?.host || UNREADABLE_PROXY;
}

function variable(name: string): string {
  return process.env[name] || process.env[name.toUpperCase()] || '';
}

/** As the newest axios reads `no_proxy`. */
function isExempt({ hostname, port }: URL): boolean {
  return variable('no_proxy')
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, pattern, entryPort] = /^(.+?)(?::(\d+))?$/.exec(entry) ?? [];
      if (pattern === undefined || (entryPort !== undefined && entryPort !== (port || '443'))) return false;
      return /^[.*]/.test(pattern) ? hostname.endsWith(pattern.replace('*', '')) : pattern === hostname;
    });
}

/**
 * isCertainlyExempt tells whether every version of axios takes a host out of proxying: by its lower-case name, a suffix of it
 * that begins with a dot, or a list that is nothing but `*`, in `no_proxy`, and in npm's variable too if that is set.
 */
function isCertainlyExempt({ hostname }: URL): boolean {
  const names = (list: string): boolean =>
    list === '*' ||
    list.split(',').some((item) => {
      const entry = item.trim();
      return entry === hostname || (entry.startsWith('.') && hostname.endsWith(entry));
    });
  const npmList = variable('npm_config_no_proxy');
  return names(variable('no_proxy')) && (npmList === '' || names(npmList));
}

/**
 * isProxyAnswer tells whether a response to an https request came from a proxy that refused to open a tunnel. The http
 * adapter returns it like any other response; only its socket is not encrypted.
 */
export function isProxyAnswer(request: unknown, origin: string): boolean {
  const { socket } = asRecord(request);
  return origin.startsWith('https:') && isObject(socket) && socket['encrypted'] !== true;
}

/** proxyStatusOf returns the status of a refused tunnel from the error that `fetch` throws for it. */
export function proxyStatusOf(messages: readonly string[]): number | undefined {
  const found = messages
    .map((message) => /proxy response \(?(\d{3})\)?|tunneling socket.*statusCode=(\d{3})/i.exec(message))
    .find((match) => match !== null);
  return found ? Number(found[1] ?? found[2]) : undefined;
}

/** Words for what a proxy answered. */
const meanings: Readonly<Record<number, string>> = {
  401: 'authentication required',
  403: 'forbidden',
  407: 'authentication required',
};

/** describeProxyAnswer says who refused, what it answered and the next step. */
export function describeProxyAnswer(proxy: string | undefined, status: number, host: string): string {
  const who = proxy === undefined || proxy === UNREADABLE_PROXY ? 'The proxy' : `The proxy ${proxy}`;
  const meaning = meanings[status] ?? (status >= 500 ? 'proxy error' : undefined);
  const answered = `${who} answered ${status}${meaning ? ` (${meaning})` : ''} to the request for a tunnel to ${host}`;
  const advice =
    status === 401 || status === 407
      ? 'Check the user name and password in HTTPS_PROXY, or in the proxy option or the agent of the axios instance.'
      : status >= 500
        ? `Ask the proxy's administrator whether the proxy can reach ${host}.`
        : `Ask the proxy's administrator to allow ${host}, or add ${host} to NO_PROXY to connect directly.`;
  return `${answered}. The request did not reach ${host}. ${advice}`;
}
