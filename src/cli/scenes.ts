import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

import type { AxiosInstance } from 'axios';

import type { AcquisitionReason } from '../index';
import type { BipsyncEmulator, BipsyncEmulatorOptions } from '../testing/index';

const NOTE = '/v1/research/note-1';
const TOKEN_DELAY_MS = 100;
const LIFETIME_S = 2;
/** Long enough for one renewal, too short for two. */
const LOAD_MS = 2400;

/** What a scene is played with, by one of the two. */
export interface Stage {
  api: AxiosInstance;
  accessToken(): Promise<string>;
  /** Why the plugin obtained tokens. */
  reasons: AcquisitionReason[];
  secret: string;
  emulator: BipsyncEmulator;
  elsewhere: Elsewhere;
}

/** What became of a call: an HTTP status, or the code of an error. */
export interface Call {
  outcome: unknown;
  ms: number;
  /** Whether the call's error, as `console.log` prints it, shows the secret or token that was looked for. */
  isShown: boolean;
}

/** Another server, to which no token may go. */
export interface Elsewhere {
  url: string;
  /** How many of its requests held a token. */
  tokens(): number;
  reset(): void;
  close(): Promise<void>;
}

/** Those that no caller sees included. */
const countRefusals = ({ requests }: BipsyncEmulator): number =>
  requests.filter(({ status }) => status === 401).length;

const countShown = (calls: Call[]): number => calls.filter(({ isShown }) => isShown).length;

/** What can be shown of a scene. */
export const measures = {
  'token requests': (_calls: Call[], { emulator }: Stage): number => emulator.tokenRequests,
  '401s from the API': (_calls: Call[], { emulator }: Stage): number => countRefusals(emulator),
  'slowest call, in milliseconds': (calls: Call[]): number =>
    Math.round(Math.max(0, ...calls.map(({ ms }) => ms))),
  'requests to that host with the token': (_calls: Call[], { elsewhere }: Stage): number =>
    elsewhere.tokens(),
  'logged errors with the secret': countShown,
  'logged errors with the token': countShown,
};

export type MeasureName = keyof typeof measures;

export interface Scene {
  title: string;
  emulator?: BipsyncEmulatorOptions;
  hasWrongSecret?: true;
  /** What each call of the plugin must come to. */
  outcome: number | string;
  apiRequests?: number;
  /** Why the plugin obtains tokens: nobody waits for a `refresh`. */
  reason?: AcquisitionReason;
  /** What is shown, and at most how much of it the plugin promises. */
  shows: Partial<Record<MeasureName, number>>;
  play(stage: Stage): Promise<Call[]>;
}

/** Shown, and left open. */
export const UNPROMISED = Infinity;

/** The scenes in the order of the story. */
export const story: readonly Scene[] = [
  {
    title: 'Cold start: 200 requests at once, without a token',
    emulator: { tokenDelayMs: TOKEN_DELAY_MS },
    outcome: 200,
    apiRequests: 200,
    reason: 'first',
    shows: { 'token requests': 1, 'slowest call, in milliseconds': UNPROMISED },
    play: ({ api }) => burst(200, () => api.get(NOTE)),
  },
  {
    title: `Expiry: ten loops of requests, and tokens that expire after ${LIFETIME_S} s`,
    emulator: { tokenDelayMs: TOKEN_DELAY_MS, expiresIn: LIFETIME_S },
    outcome: 200,
    reason: 'refresh',
    shows: { 'token requests': 1, '401s from the API': 0 },
    async play(stage: Stage): Promise<Call[]> {
      const { api } = stage;
      await warmUp(stage);
      const until = performance.now() + LOAD_MS;
      const workers = Array.from({ length: 10 }, async () => {
        const calls: Call[] = [];
        while (performance.now() < until) {
          calls.push(await attempt(() => api.get(NOTE)));
          await pause(20);
        }
        return calls;
      });
      return (await Promise.all(workers)).flat();
    },
  },
  {
    title: 'Revocation: 50 requests at once get a 401',
    emulator: { tokenDelayMs: TOKEN_DELAY_MS },
    outcome: 200,
    apiRequests: 100,
    reason: 'refused',
    shows: { 'token requests': 1 },
    async play(stage: Stage): Promise<Call[]> {
      await warmUp(stage);
      stage.emulator.revokeTokens();
      return burst(50, () => stage.api.get(NOTE));
    },
  },
  {
    title: "An endpoint outside the token's scopes, called 60 times",
    outcome: 401,
    shows: { 'token requests': 3 },
    play: ({ api }) => waves(6, 10, () => api.get('/v1/field')),
  },
  {
    title: 'A wrong secret, and 100 requests within half a second',
    hasWrongSecret: true,
    outcome: 'ERR_BIPSYNC_CREDENTIALS',
    apiRequests: 0,
    shows: { 'token requests': 5, 'logged errors with the secret': 0 },
    async play({ api, emulator, secret }: Stage): Promise<Call[]> {
      const calls = waves(4, 25, () => api.get(NOTE), secret);
      await Promise.race([calls, pause(500)]);
      // The pasted interceptor takes the token request's 401 for the API's, and sends it again without end.
      emulator.failTokenRequests({ status: 400 }, Infinity);
      return calls;
    },
  },
  {
    title: 'A link to another host, followed 50 times',
    outcome: 200,
    shows: { 'requests to that host with the token': 0 },
    async play(stage: Stage): Promise<Call[]> {
      await warmUp(stage);
      return burst(50, () => stage.api.get(stage.elsewhere.url));
    },
  },
  {
    title: 'An API that answers 500, and 50 errors in the log',
    outcome: 500,
    shows: { 'logged errors with the token': 0 },
    async play(stage: Stage): Promise<Call[]> {
      const token = await stage.accessToken();
      stage.emulator.failApiRequests({ status: 500 }, Infinity);
      return burst(50, () => stage.api.get(NOTE), token);
    },
  },
];

/** What comes before a scene does not count in it. */
async function warmUp({ api, emulator, reasons }: Stage): Promise<void> {
  await attempt(() => api.get(NOTE));
  emulator.resetCounters();
  reasons.length = 0;
}

function burst(count: number, send: () => Promise<unknown>, soughtFor?: string): Promise<Call[]> {
  return Promise.all(Array.from({ length: count }, () => attempt(send, soughtFor)));
}

async function waves(
  count: number,
  size: number,
  send: () => Promise<unknown>,
  soughtFor?: string,
): Promise<Call[]> {
  const calls: Call[] = [];
  for (let wave = 0; wave < count; wave++) {
    if (wave > 0) await pause(120);
    calls.push(...(await burst(size, send, soughtFor)));
  }
  return calls;
}

async function attempt(send: () => Promise<unknown>, soughtFor?: string): Promise<Call> {
  const startedAt = performance.now();
  let isShown = false;
  const outcome = await send().then(statusOf, (error: unknown) => {
    isShown = soughtFor !== undefined && inspect(error).includes(soughtFor);
    const { response, code } = error as { response?: unknown; code?: unknown };
    return response ? statusOf(response) : code;
  });
  return { outcome, ms: performance.now() - startedAt, isShown };
}

const statusOf = (response: unknown): unknown => (response as { status: unknown }).status;
