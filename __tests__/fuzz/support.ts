import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import * as fc from 'fast-check';

import { type BipsyncAuthError, isBipsyncAuthError } from '../../src';

// A short run, as in `npm test`, is always the same. A long one looks for something new.
const unseen = process.env['FUZZ_RUNS'] === undefined ? 1 : Math.floor(Math.random() * 0x7fffffff);
const seed = Number(process.env['FUZZ_SEED'] ?? unseen);

/** `FUZZ_RUNS` sets the number of runs of every property, `FUZZ_SEED` repeats some. */
export const parameters = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 200), seed };

export const FUZZ_TIMEOUT_MS = 30_000 + parameters.numRuns * 30;

beforeAll(() => {
  process.stdout.write(`fuzz: ${parameters.numRuns} runs, FUZZ_SEED=${seed}\n`);
});

export const SECRET = 'Very(secret) & w!de*~value';

export const validConfig = {
  baseURL: 'https://acme-api.bipsync.com',
  clientId: 'the-client',
  clientSecret: SECRET,
  teamId: 'a1',
};

interface RawAnswer {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** Handed to axios as it is. */
  data?: unknown;
}

export const goodToken: RawAnswer = {
  data: JSON.stringify({ token_type: 'bearer', access_token: 'good', expires_in: 3600 }),
};

export interface RawServer {
  api: AxiosInstance;
  /** The `Authorization` of every request to the API, in order. */
  sent: unknown[];
  tokenRequests: InternalAxiosRequestConfig[];
}

/** An axios whose server answers whatever a test likes. */
export function rawServer(
  token: (request: InternalAxiosRequestConfig) => RawAnswer,
  onApi: () => RawAnswer = () => ({}),
): RawServer {
  const server: RawServer = { api: axios.create(), sent: [], tokenRequests: [] };
  server.api.defaults.adapter = async (request) => {
    const isToken = String(request.url).startsWith('/v1/oauth/token');
    if (isToken) server.tokenRequests.push(request);
    else server.sent.push(request.headers.get('Authorization'));
    const { status = 200, headers = {}, data = '' } = isToken ? token(request) : onApi();
    const response = {
      status,
      statusText: '',
      headers: new axios.AxiosHeaders(headers),
      data,
      config: request,
      request: {},
    };
    if (!request.validateStatus || request.validateStatus(status)) return response;
    throw new axios.AxiosError(`status ${status}`, 'ERR_BAD_RESPONSE', request, {}, response);
  };
  return server;
}

/** The BipsyncAuthError that a promise rejects with, if it rejects; anything else that is thrown is thrown on. */
export async function authErrorOf(promise: Promise<unknown>): Promise<BipsyncAuthError | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (isBipsyncAuthError(error)) return error;
    throw error;
  }
}

/** The forms in which a server may echo the secret: as it is, as JSON has it, in a form, in a URL. */
export function echoesOf(secret: string): string[] {
  const form = new URLSearchParams({ s: secret }).toString().slice(2);
  return [secret, JSON.stringify(secret).slice(1, -1), form, encodeURIComponent(secret)];
}

/** Any character but half of a surrogate pair: fast-check's unit `binary`, without the second that it takes to get ready. */
export const character: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

/** Values of every kind that JavaScript has. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    maxDepth: 2,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown[]>(
    Symbol('s'),
    () => undefined,
    function named() {},
    Date,
    NaN,
    -0,
    Infinity,
    -1,
  ),
);
