/** One process of the fleet. It is bundled with the sources under test, and does what its parent says. */
import axios from 'axios';
import Redis from 'ioredis';
import { createClient } from 'redis';

import { type BipsyncAuthEvent, installBipsyncAuth, type TokenStore } from '../../src';
import { encryptedTokenStore, redisTokenStore, type SendRedisCommand } from '../../src/stores';

export interface WorkerOptions {
  redis: 'node-redis' | 'ioredis';
  redisUrl: string;
  encryptionKey: string;
  auth: { baseURL: string; clientId: string; clientSecret: string; teamId: string; tokenTimeoutMs: number };
}

export type Command =
  /** So many requests at once; resolves when all are answered. */
  | { do: 'request'; count: number; scopes?: string[] }
  /** A request every so many milliseconds, a few at once at most, until `stop`; that resolves when all are answered. */
  | { do: 'start'; everyMs: number }
  | { do: 'stop' }
  /** What happened since the last report. */
  | { do: 'report' }
  /** When the present token expires, as it was last acquired, and the token itself. */
  | { do: 'token' };

export interface Report {
  requests: number;
  failures: string[];
  slowestMs: number;
  /** For each 401, how long its request was on its way: a token can expire meanwhile. */
  refusedAfterMs: number[];
  acquired: { source: 'endpoint' | 'store'; reason: string; expiresAt: number }[];
  storeFailed: string[];
  reads: number;
  writes: number;
  locks: number;
}

const SCOPES = ['rest_api:read'];
/** A machine that is too slow for the traffic shall not fall behind more and more. */
const MAX_PENDING = 4;
const options = JSON.parse(process.env['FLEET_WORKER'] ?? '{}') as WorkerOptions;
let report = emptyReport();
let flow: NodeJS.Timeout | undefined;
const pending = new Set<Promise<unknown>>();

function emptyReport(): Report {
  return {
    requests: 0,
    failures: [],
    slowestMs: 0,
    refusedAfterMs: [],
    acquired: [],
    storeFailed: [],
    reads: 0,
    writes: 0,
    locks: 0,
  };
}

/** Both clients as they come: they queue commands while Redis is away and play them when it is back. */
async function connect(): Promise<SendRedisCommand> {
  const { redis, redisUrl: url } = options;
  const ignore = (): void => undefined;
  if (redis === 'ioredis') {
    const client = new Redis(url).on('error', ignore);
    await client.ping();
    return (...args) => client.call(...args);
  }
  const client = await createClient({ url }).on('error', ignore).connect();
  return (...args) => client.sendCommand(args);
}

function counted(store: Required<TokenStore>): TokenStore {
  return {
    get(key) {
      report.reads += 1;
      return store.get(key);
    },
    set(key, value, ttlMs) {
      report.writes += 1;
      return store.set(key, value, ttlMs);
    },
    lock(key, ttlMs) {
      report.locks += 1;
      return store.lock(key, ttlMs);
    },
  };
}

/** What failed and why, in one line. */
function describe(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return [error, cause]
    .filter((part) => part !== undefined)
    .map(String)
    .join(', because ');
}

function onEvent(event: BipsyncAuthEvent): void {
  if (event.type === 'token-acquired') {
    const { source, reason, expiresAt } = event;
    report.acquired.push({ source, reason, expiresAt });
  }
  if (event.type === 'store-failed') report.storeFailed.push(event.operation);
}

async function main(): Promise<void> {
  const store = redisTokenStore({ sendCommand: await connect() });
  const keys = [{ name: 'fleet', key: options.encryptionKey }];
  const send = axios.getAdapter('http');
  const api = axios.create({
    timeout: 20_000,
    async adapter(config) {
      const sentAt = performance.now();
      try {
        return await send(config);
      } catch (error) {
        const isRefusal = axios.isAxiosError(error) && error.response?.status === 401;
        if (isRefusal) report.refusedAfterMs.push(Math.round(performance.now() - sentAt));
        throw error;
      }
    },
  });
  const auth = installBipsyncAuth(api, {
    ...options.auth,
    scopes: SCOPES,
    tokenStore: encryptedTokenStore(counted(store), keys),
    onEvent,
  });

  function request(scopes: string[] = SCOPES): Promise<void> {
    const startedAt = performance.now();
    const into = report;
    into.requests += 1;
    const answered = api
      .get('/v1/research/note-1', { bipsyncAuth: { scopes } })
      .then(
        () => undefined,
        (error: unknown) => void into.failures.push(describe(error)),
      )
      .finally(() => {
        into.slowestMs = Math.max(into.slowestMs, Math.round(performance.now() - startedAt));
        pending.delete(answered);
      });
    pending.add(answered);
    return answered;
  }

  async function obey(command: Command): Promise<unknown> {
    switch (command.do) {
      case 'request':
        await Promise.all(Array.from({ length: command.count }, () => request(command.scopes)));
        return undefined;
      case 'start':
        flow = setInterval(() => {
          if (pending.size < MAX_PENDING) void request();
        }, command.everyMs);
        return undefined;
      case 'stop':
        clearInterval(flow);
        await Promise.all(pending);
        return undefined;
      case 'report': {
        const finished = report;
        report = emptyReport();
        return finished;
      }
      case 'token':
        return auth.getToken();
    }
  }

  process.on('message', ({ id, command }: { id: number; command: Command }) => {
    obey(command).then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
  });
  process.send?.({ id: 0 });
}

process.once('disconnect', () => process.exit());
void main();
