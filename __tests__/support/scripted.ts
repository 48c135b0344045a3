import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  type BipsyncAuthEvent,
  installBipsyncAuth,
} from '../../src';

/** What a scripted server answers; a body that is no string is sent as JSON. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}
type Script = (config: InternalAxiosRequestConfig) => Answer | Promise<Answer> | Error;

export const SECRET = 'the-very-secret-value';
export const ORIGIN = 'https://acme-api.bipsync.com';

/** An axios whose network is a script: for what fake timers are to control, and for answers no server would give. */
export interface Scripted {
  api: AxiosInstance;
  auth: BipsyncAuth;
  events: BipsyncAuthEvent[];
  /** The token requests and the API requests that reached the network, in order. */
  tokenRequests: InternalAxiosRequestConfig[];
  apiRequests: InternalAxiosRequestConfig[];
  /** The `Authorization` of each API request, at the moment it was sent. */
  sent: (string | undefined)[];
  /** Each API request as it was sent, in a copy: what the plugin adds to a config it takes away after the answer. */
  asSent: InternalAxiosRequestConfig[];
  onToken: Script;
  onApi: Script;
}

export function tokenAnswer(accessToken: string, expiresIn: unknown = 3600): Answer {
  return { body: { token_type: 'bearer', access_token: accessToken, expires_in: expiresIn } };
}

export function scripted(config: Partial<BipsyncAuthConfig> = {}, instance = axios.create()): Scripted {
  let minted = 0;
  const state: Scripted = {
    api: instance,
    auth: undefined as unknown as BipsyncAuth,
    events: [],
    tokenRequests: [],
    apiRequests: [],
    sent: [],
    asSent: [],
    onToken: () => tokenAnswer(`token-${(minted += 1)}`),
    onApi: () => ({ body: { ok: true } }),
  };
  instance.defaults.adapter = async (request) => {
    const isToken = request.url === '/v1/oauth/token';
    (isToken ? state.tokenRequests : state.apiRequests).push(request);
    if (!isToken) {
      state.sent.push(request.headers.get('Authorization')?.toString());
      state.asSent.push({ ...request, headers: new axios.AxiosHeaders(request.headers.toJSON()) });
    }
    const answer = await (isToken ? state.onToken : state.onApi)(request);
    if (answer instanceof Error) throw answer;
    const { status = 200, headers = {}, body = '' } = answer;
    const response = {
      status,
      statusText: String(status),
      headers: new axios.AxiosHeaders(headers),
      data: typeof body === 'string' ? body : JSON.stringify(body),
      config: request,
      request: {
        _header: `Authorization: ${String(request.headers['Authorization'])}`,
        destroy: (): void => undefined,
      },
    };
    const { validateStatus } = request;
    if (!validateStatus || validateStatus(status)) return response;
    throw new axios.AxiosError(
      `Request failed with status code ${status}`,
      'ERR_BAD_REQUEST',
      request,
      response.request,
      response,
    );
  };
  const { onEvent, ...rest } = config;
  state.auth = installBipsyncAuth(instance, {
    client: 'acme',
    clientId: 'the-client',
    clientSecret: SECRET,
    teamId: 'a1',
    ...rest,
    onEvent: (event) => {
      state.events.push(event);
      return onEvent?.(event);
    },
  });
  return state;
}

/** What an adapter returns; a body that is no string is sent as JSON. */
export function responseTo(
  config: InternalAxiosRequestConfig,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): AxiosResponse {
  const data = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, statusText: '', headers: new axios.AxiosHeaders(headers), data, config, request: {} };
}

/** The form that a token request carried. */
export function formOf(request: InternalAxiosRequestConfig): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(String(request.data)));
}

/** A promise to be settled by the test. */
export function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What a promise rejects with; resolving fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const value = await promise.then(
    () => new Error('expected a rejection, but the promise was fulfilled'),
    (error: unknown) => error,
  );
  if (!(value instanceof Error)) throw new Error('rejected with something that is not an error');
  if (String(value.message).startsWith('expected a rejection')) throw value;
  return value as Error & Record<string, unknown>;
}
