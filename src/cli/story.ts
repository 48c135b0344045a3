import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import axios, { type AxiosInstance } from 'axios';

import { type AcquisitionReason, type BipsyncAuthConfig, installBipsyncAuth } from '../index';
import type { BipsyncEmulator, BipsyncEmulatorOptions } from '../testing/index';

export type StartEmulator = (options: BipsyncEmulatorOptions) => Promise<BipsyncEmulator>;

/** One line of the story, as it was promised and as it was seen. */
export interface Row {
  title: string;
  story: string;
  ok: boolean;
  /** Promises that were not kept, in words. */
  broken: string[];
  tokenRequests: number;
  tokenRequestsPromised: readonly [least: number, most: number];
  apiRequests: number;
  calls: number;
  callsAsPromised: number;
  slowestMs: number;
}

interface Stage {
  api: AxiosInstance;
  emulator: BipsyncEmulator;
  /** Why tokens were obtained. */
  reasons: AcquisitionReason[];
}

/** What became of a call: an HTTP status, or the code of an error. */
interface Call {
  outcome: unknown;
  ms: number;
}

interface Act {
  title: string;
  story: string;
  emulator?: BipsyncEmulatorOptions;
  auth?: Partial<BipsyncAuthConfig>;
  /** What every call is to come to. */
  outcome: number | string;
  tokenRequests: readonly [least: number, most: number];
  apiRequests?: number;
  /** Why tokens are obtained: a `refresh` is one that nobody waits for. */
  reason?: AcquisitionReason;
  /** 401s of the API, those that no caller hears of included. */
  refusals?: number;
  play(stage: Stage): Promise<Call[]>;
}

const NOTE = '/v1/research/note-1';
const TOKEN_DELAY_MS = 150;
const LIFETIME_S = 2.5;
/** Long enough for two renewals, too short for three. */
const LOAD_MS = 4700;

const acts: readonly Act[] = [
  {
    title: 'Cold burst',
    story: '200 requests at once and no token yet: all wait for the same one',
    emulator: { tokenDelayMs: TOKEN_DELAY_MS },
    outcome: 200,
    tokenRequests: [1, 1],
    apiRequests: 200,
    reason: 'first',
    refusals: 0,
    play: ({ api }) => burst(200, () => api.get(NOTE)),
  },
  {
    title: 'Expiry under load',
    story: `tokens live ${LIFETIME_S} s and take ${TOKEN_DELAY_MS} ms to get: renewed in the background, no 401`,
    emulator: { tokenDelayMs: TOKEN_DELAY_MS, expiresIn: LIFETIME_S },
    outcome: 200,
    tokenRequests: [2, 2],
    reason: 'refresh',
    refusals: 0,
    async play(stage) {
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
    title: 'Revocation under load',
    story: '50 requests at once meet a 401: one new token, and all are sent again',
    emulator: { tokenDelayMs: TOKEN_DELAY_MS },
    outcome: 200,
    tokenRequests: [1, 1],
    apiRequests: 100,
    reason: 'refused',
    refusals: 50,
    async play(stage) {
      const { api, emulator } = stage;
      await warmUp(stage);
      emulator.revokeTokens();
      return burst(50, () => api.get(NOTE));
    },
  },
  {
    title: 'Endpoint outside the scopes',
    story: '60 calls within a second get their 401, but not a new token each',
    outcome: 401,
    tokenRequests: [1, 3],
    play: ({ api }) => waves(6, 10, () => api.get('/v1/fields')),
  },
  {
    title: 'Wrong secret',
    story: '100 calls fail with ERR_BIPSYNC_CREDENTIALS, and none reaches the API',
    auth: { clientSecret: 'not the secret' },
    outcome: 'ERR_BIPSYNC_CREDENTIALS',
    tokenRequests: [1, 5],
    apiRequests: 0,
    play: ({ api }) => waves(4, 25, () => api.get(NOTE)),
  },
];

export const titles: readonly string[] = acts.map(({ title }) => title);

/** playStory plays the acts one after the other, each with an emulator of its own. */
export async function* playStory(start: StartEmulator): AsyncGenerator<Row> {
  for (const act of acts) yield await play(act, start);
}

async function play(act: Act, start: StartEmulator): Promise<Row> {
  const emulator = await start({ ...act.emulator, record: true });
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 256 });
  const api = axios.create({ httpAgent, proxy: false, timeout: 10_000 });
  const reasons: AcquisitionReason[] = [];
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  try {
    installBipsyncAuth(api, {
      baseURL,
      clientId,
      clientSecret,
      teamId,
      scopes: ['rest_api:read'],
      onEvent: (event) => event.type === 'token-acquired' && reasons.push(event.reason),
      ...act.auth,
    });
    const stage = { api, emulator, reasons };
    return judge(act, await act.play(stage), stage);
  } finally {
    httpAgent.destroy();
    await emulator.close();
  }
}

function judge(act: Act, calls: Call[], { emulator, reasons }: Stage): Row {
  const { title, story, outcome, tokenRequests: promised } = act;
  const { tokenRequests, apiRequests, requests } = emulator;
  const others = calls.filter((call) => call.outcome !== outcome);
  const refusals = requests.filter(({ status }) => status === 401).length;
  const broken: string[] = [];
  const expect = (what: string, wanted: unknown, ...seen: unknown[]): void => {
    const found = [...new Set(seen)].filter((one) => wanted !== undefined && one !== wanted);
    if (found.length > 0) broken.push(`${what}: promised ${String(wanted)}, seen ${found.join(', ')}`);
  };
  const [least, most] = promised;
  if (tokenRequests < least || tokenRequests > most)
    expect('token requests', formatRange(promised), tokenRequests);
  expect('calls', outcome, ...others.map((call) => call.outcome));
  expect('API requests', act.apiRequests, apiRequests);
  expect('401s of the API', act.refusals, refusals);
  expect('tokens obtained because', act.reason, ...reasons);
  return {
    title,
    story,
    ok: broken.length === 0,
    broken,
    tokenRequests,
    tokenRequestsPromised: promised,
    apiRequests,
    calls: calls.length,
    callsAsPromised: calls.length - others.length,
    slowestMs: Math.round(Math.max(0, ...calls.map(({ ms }) => ms))),
  };
}

export function formatRange([least, most]: readonly [number, number]): string {
  return least === most ? String(most) : `≤ ${most}`;
}

/** What comes before an act does not count in it. */
async function warmUp({ api, emulator, reasons }: Stage): Promise<void> {
  await attempt(() => api.get(NOTE));
  emulator.resetCounters();
  reasons.length = 0;
}

function burst(count: number, send: () => Promise<unknown>): Promise<Call[]> {
  return Promise.all(Array.from({ length: count }, () => attempt(send)));
}

async function waves(count: number, size: number, send: () => Promise<unknown>): Promise<Call[]> {
  const calls: Call[] = [];
  for (let wave = 0; wave < count; wave++) {
    if (wave > 0) await pause(120);
    calls.push(...(await burst(size, send)));
  }
  return calls;
}

async function attempt(send: () => Promise<unknown>): Promise<Call> {
  const startedAt = performance.now();
  const outcome = await send().then(statusOf, (error: unknown) => {
    const { response, code } = error as { response?: unknown; code?: unknown };
    return response ? statusOf(response) : code;
  });
  return { outcome, ms: performance.now() - startedAt };
}

const statusOf = (response: unknown): unknown => (response as { status: unknown }).status;
