import { Readable } from 'node:stream';

import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import { type BipsyncAuth, installBipsyncAuth, isBipsyncAuthError, type TokenStore } from '../../src';
import { encryptedTokenStore } from '../../src/stores';
import { storeKey } from '../../src/token/sharing';
import { responseTo } from '../support/scripted';
import { createClockwork, createRandom } from './clockwork';
import { createRules, type Issued, type Member, type Outcome } from './rules';
import {
  createScenario,
  DENIED,
  type EndpointMode,
  type KeyName,
  type RequestPlan,
  type Scenario,
  type Step,
  type StoreMode,
  type Team,
} from './scenario';

const SECOND = 1000;
const OLD_SECRET = 'the-old-secret';
const NEW_SECRET = 'the-new-secret';
/** Two keys that are random enough. */
const KEYS: Record<KeyName, string> = {
  old: Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 89 + 177) % 256)).toString('base64'),
  new: Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 151 + 203) % 256)).toString('base64'),
};

const ORIGIN = 'https://acme-api.bipsync.com';
const keyOf = (team: Team): string =>
  storeKey(ORIGIN, `${ORIGIN}/v1/oauth/token`, 'the-client', [`team_${team}`]);
const TEAM_OF: Readonly<Record<string, Team>> = { [keyOf('a')]: 'a', [keyOf('b')]: 'b' };

/** One process of the fleet. */
interface Process extends Member {
  team: Team;
  keys: readonly KeyName[] | undefined;
  hasOldSecret: boolean;
  isRunning: boolean;
  losesAnswers: boolean;
  api: AxiosInstance;
  auth: BipsyncAuth;
}

interface Entry {
  value: string;
  before: string | undefined;
  untilMs: number;
}

/** What became of a fleet: the broken rule, if any, and everything that happened. */
export interface Played {
  violation: string | undefined;
  trace: readonly string[];
}

export const scenarioOf = (seed: number): Scenario => createScenario(createRandom(seed));

/** Plays a scenario with the jitter of a seed. The same of both give the same trace. */
export async function playFleet(seed: number, scenario = scenarioOf(seed)): Promise<Played> {
  const random = createRandom(seed ^ 0x5bd1e995);
  const clock = createClockwork(random);
  const between = (low: number, high: number): number => low + random() * (high - low);
  const tokens = new Map<string, Issued>();
  const entries = new Map<string, Entry>();
  const locks = new Map<string, { owner: symbol; untilMs: number }>();
  let storeMode: StoreMode | undefined;
  let endpointMode: EndpointMode | undefined;

  const processes = scenario.processes.map((plan, index) => {
    const process = {
      ...plan,
      index,
      name: `p${index}`,
      incarnation: 0,
      wallOffsetMs: between(-200, 200),
      drift: between(-1e-5, 1e-5),
      frozen: undefined,
      frozenMs: 0,
      suspendedMs: 0,
      disturbedMs: -Infinity,
      disturbances: 0,
      isRunning: true,
      losesAnswers: false,
    };
    return process as Omit<Process, 'api' | 'auth'> as Process;
  });
  const rules = createRules(clock, scenario, processes);
  for (const process of processes) install(process);

  function install(process: Process): void {
    process.api = axios.create({
      adapter: (config) =>
        config.url === '/v1/oauth/token' ? tokenEndpoint(process, config) : apiEndpoint(process, config),
    });
    // Merging axios's many defaults would take most of the time.
    const { defaults } = process.api;
    for (const name of Object.keys(defaults)) {
      if (!['adapter', 'validateStatus', 'headers'].includes(name)) Reflect.deleteProperty(defaults, name);
    }
    for (const name of Object.keys(defaults.headers)) Reflect.deleteProperty(defaults.headers, name);
    const store = storeOf(process);
    process.auth = installBipsyncAuth(process.api, {
      client: 'acme',
      clientId: 'the-client',
      clientSecret: process.hasOldSecret ? OLD_SECRET : NEW_SECRET,
      teamId: process.team,
      tokenStore: process.keys
        ? encryptedTokenStore(
            store,
            process.keys.map((name) => ({ name, key: KEYS[name] })) as [{ name: string; key: string }],
          )
        : store,
    });
  }

  /** Something comes over the network. A process that is frozen may have lost the connection by the time it wakes. */
  function deliver(process: Process, ms: number, arrive: () => void, lost?: () => void): void {
    const { incarnation } = process;
    clock.after(ms, undefined, () => {
      if (process.incarnation !== incarnation) return;
      if (!process.frozen || !process.losesAnswers) clock.after(0, process, arrive);
      else if (lost) clock.after(0, process, lost);
    });
  }

  // The token endpoint and the API

  function tokenEndpoint(process: Process, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    const form = new URLSearchParams(String(config.data));
    const team = (form.get('scope') ?? '').slice('team_'.length) as Team;
    const signal = config.signal as AbortSignal;
    rules.tokenRequested(process, team, signal);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new axios.CanceledError(undefined, config)));
      const ms = endpointMode === 'slow' ? between(3 * SECOND, 12 * SECOND) : scenario.mintMs;
      // It answers as it is now, or not at all.
      const mode = endpointMode;
      if (mode === 'silent') return;
      const answer = (status: number, body: unknown, headers: Record<string, string> = {}): void =>
        deliver(process, ms, () => {
          if (signal.aborted) return;
          rules.tokenAnswered(process, signal, String(status), status === 200);
          resolve(responseTo(config, status, body, headers));
        });
      if (mode === 'down') {
        deliver(process, 5, () => {
          rules.tokenAnswered(process, signal, 'no connection', false);
          reject(new axios.AxiosError('connect ECONNREFUSED', 'ECONNREFUSED', config));
        });
      } else if (mode === 'overloaded') answer(503, '', random() < 0.5 ? { 'Retry-After': '2' } : {});
      else if (form.get('client_secret') !== NEW_SECRET) answer(401, { error: 'invalid_client' });
      else if (mode === 'refuses some' && process.index % 2 === 0) answer(403, { error: 'forbidden' });
      else
        answer(200, {
          token_type: 'bearer',
          expires_in: scenario.expiresIn,
          access_token: issue(process, team, ms),
        });
    });
  }

  function issue(mintedBy: Process, team: Team, ms: number): string {
    const mintedMs = clock.nowMs;
    const token: Issued = {
      value: `${team}-${tokens.size + 1}`,
      team,
      mintedBy,
      mintedMs,
      expiresMs: mintedMs + ms / 2 + scenario.expiresIn * SECOND,
      revokedMs: Infinity,
    };
    tokens.set(token.value, token);
    rules.issued(token);
    return token.value;
  }

  function apiEndpoint(process: Process, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    const call = rules.calls[Number(config.params)]!;
    if ((config.data as Readable | undefined)?.destroyed)
      return Promise.reject(new Error('the body has ended'));
    const token = tokens.get(String(config.headers.get('Authorization')).slice('Bearer '.length));
    rules.apiRequested(call, token);
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new axios.AxiosError('socket hang up', 'ECONNRESET', config));
      const arrive = (status: number) => (): void => {
        rules.apiAnswered(call, status);
        const response = responseTo(config, status, '');
        if (status === 200) resolve(response);
        else reject(new axios.AxiosError(`status ${status}`, 'ERR_BAD_REQUEST', config, {}, response));
      };
      const ms = between(20, 100);
      clock.after(ms / 2, undefined, () => {
        const isGood = token && clock.nowMs < token.revokedMs && clock.nowMs < token.expiresMs;
        const isDenied = (DENIED as readonly string[]).includes(call.plan.path);
        if (process.incarnation === call.incarnation)
          deliver(process, ms / 2, arrive(isGood && !isDenied ? 200 : 401), lost);
      });
    });
  }

  // The store

  function storeOf(process: Process): TokenStore {
    /** Half of the time passes on the way there, half on the way back. */
    const ask = <T>(what: 'get' | 'set' | 'lock', work: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const mode = storeMode;
        if (mode === 'hanging') return;
        const fails =
          mode === 'down' || (mode === 'full' && what === 'set') || (mode === 'read-only' && what !== 'get');
        const ms = mode === 'slow' ? between(300, 1500) : between(1, 5);
        clock.after(ms / 2, undefined, () => {
          if (fails) {
            deliver(process, ms / 2, () => reject(new Error('out of order')));
            return;
          }
          const result = work();
          deliver(process, ms / 2, () => resolve(result));
        });
      });
    const store: TokenStore = {
      get: (key) =>
        ask('get', () => {
          const entry = entries.get(key);
          if (!entry || entry.untilMs <= clock.nowMs) return undefined;
          return storeMode === 'old values' ? entry.before : entry.value;
        }),
      set: (key, value, ttlMs) =>
        ask('set', () => {
          const before = entries.get(key)?.value;
          entries.set(key, { value, before, untilMs: clock.nowMs + ttlMs });
        }),
    };
    if (!scenario.hasLock) return store;
    return {
      ...store,
      async lock(key, ttlMs) {
        const team = TEAM_OF[key]!;
        rules.lockAsked(process, team);
        const owner = Symbol();
        const isHeld = await ask('lock', () => {
          if ((locks.get(key)?.untilMs ?? 0) > clock.nowMs) return true;
          locks.set(key, { owner, untilMs: clock.nowMs + ttlMs });
          return false;
        });
        rules.lockAnswered(process, team, isHeld);
        if (isHeld) return undefined;
        return async () => {
          rules.released(process, team);
          await ask('lock', () => {
            if (locks.get(key)?.owner === owner) locks.delete(key);
          });
        };
      },
    };
  }

  // What happens

  function send(process: Process, plan: RequestPlan): void {
    if (!process.isRunning || process.frozen) return;
    const call = rules.began(process, plan);
    const body = plan.body && new Readable({ read: noop });
    if (body && plan.body === 'ends early') clock.after(between(0, 500), process, () => body.destroy());
    process.api
      .request({
        method: body ? 'post' : 'get',
        url: plan.path,
        params: call.id,
        ...(body && { data: body }),
        ...(plan.timeoutMs !== undefined && { timeout: plan.timeoutMs }),
        ...(plan.team !== process.team && { bipsyncAuth: { teamId: plan.team } }),
      })
      .then(
        ({ status }) => rules.settled(call, { kind: 'answer', status, cause: undefined }),
        (error: unknown) => rules.settled(call, outcomeOf(error)),
      );
  }

  function restart(process: Process): void {
    if (process.frozen) clock.thaw(process);
    process.incarnation += 1;
    process.isRunning = true;
    rules.disturbed(process);
    install(process);
  }

  function thaw(process: Process): void {
    if (!process.frozen) return;
    rules.note(`${process.name} thaws`);
    clock.thaw(process);
    rules.disturbed(process);
  }

  function perform(step: Step): void {
    const process = 'process' in step ? processes[step.process]! : undefined;
    if (step.kind !== 'request') rules.note(JSON.stringify(step));
    switch (step.kind) {
      case 'request':
        clock.after(0, process, () => send(process!, step.plan));
        return;
      case 'stop':
        process!.incarnation += 1;
        process!.isRunning = false;
        return;
      case 'start':
        restart(process!);
        return;
      case 'new keys':
        if (process!.keys) process!.keys = ['new', 'old'];
        restart(process!);
        return;
      case 'new secret':
        process!.hasOldSecret = false;
        restart(process!);
        return;
      case 'invalidate':
        if (!process!.isRunning || process!.frozen) return;
        rules.disturbed(process!);
        clock.after(0, process, () => process!.auth.invalidate());
        return;
      case 'freeze':
        if (!process!.isRunning || process!.frozen) return;
        process!.losesAnswers = step.losesAnswers;
        rules.disturbed(process!);
        clock.freeze(process!, step.isSuspended);
        clock.after(step.forMs, undefined, () => thaw(process!));
        return;
      case 'jump':
        process!.wallOffsetMs += step.ms;
        rules.disturbed(process!);
        return;
      case 'store':
        storeMode = step.mode;
        rules.storeTroubled();
        clock.after(step.forMs, undefined, mendStore);
        return;
      case 'endpoint':
        endpointMode = step.mode;
        rules.endpointTroubled(step.forMs);
        clock.after(step.forMs, undefined, () => (endpointMode = undefined));
        return;
      case 'revoke':
        rules.revoked();
        return;
      case 'locks expire':
        locks.clear();
        rules.storeTroubled();
        if (storeMode === undefined) rules.storeMended();
        return;
    }
  }

  function mendStore(): void {
    storeMode = undefined;
    rules.storeMended();
  }

  function mendAll(): void {
    rules.note('all is well from now on');
    mendStore();
    endpointMode = undefined;
    for (const process of processes) {
      const hasOddKeys = process.keys?.[0] === 'old';
      const isOff = Math.abs(process.wallOffsetMs) > 200;
      if (process.keys) process.keys = ['new', 'old'];
      if (!process.isRunning || process.hasOldSecret || hasOddKeys) {
        process.hasOldSecret = false;
        restart(process);
      }
      thaw(process);
      if (isOff) {
        process.wallOffsetMs = 0;
        rules.disturbed(process);
      }
    }
  }

  async function visitAll(everyMs: number, untilMs: number): Promise<void> {
    for (let atMs = clock.nowMs; atMs < untilMs; atMs += everyMs) {
      for (const process of processes) {
        const plan: RequestPlan = { path: '/v1/research', team: process.team };
        clock.after(between(0, everyMs / 2), process, () => send(process, plan));
      }
      await clock.runUntil(atMs + everyMs);
      if (rules.violations.length > 0) return;
    }
  }

  try {
    for (const step of scenario.steps) clock.after(step.atMs, undefined, () => perform(step));
    for (let atMs = 0; atMs < scenario.endMs && rules.violations.length === 0;) {
      await clock.runUntil((atMs += 20 * SECOND));
    }
    if (rules.violations.length === 0) rules.checkCost();
    if (rules.violations.length === 0) {
      mendAll();
      const lifetimeMs = scenario.expiresIn * SECOND;
      // Cool-downs and pauses end, and every token of the bad times has had its day.
      const recoveredMs = clock.nowMs + 310 * SECOND + lifetimeMs;
      await visitAll(lifetimeMs / 8, recoveredMs);
      const fromMs = clock.nowMs;
      await visitAll(lifetimeMs / 12, fromMs + lifetimeMs);
      await visitAll(4 * SECOND, clock.nowMs + 3 * SECOND);
      await clock.runUntil(clock.nowMs + 300);
      if (rules.violations.length === 0) rules.checkSharing(fromMs);
    }
  } finally {
    clock.restore();
  }
  return { violation: rules.violations[0], trace: rules.trace };
}

const noop = (): void => undefined;

function outcomeOf(error: unknown): Outcome {
  if (isBipsyncAuthError(error)) return { kind: 'auth error', code: error.code };
  if (axios.isCancel(error) || String(error).includes('the body has ended')) return { kind: 'body' };
  if (!axios.isAxiosError(error)) return { kind: 'other', what: String(error) };
  if (error.response) {
    const cause = isBipsyncAuthError(error.cause) ? error.cause.code : undefined;
    return { kind: 'answer', status: error.response.status, cause };
  }
  if (error.code === 'ECONNABORTED') return { kind: 'timeout' };
  return error.code === 'ECONNRESET' ? { kind: 'connection' } : { kind: 'other', what: String(error) };
}
