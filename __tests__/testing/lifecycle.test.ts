import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';

import axios from 'axios';

import { startBipsyncEmulator } from '../../src/testing';
import type { EmulatorFault } from '../../src/testing';
import { ownPort } from '../support/ports';
import { requestToken, start, tokenFor } from './support';

/** Watches the timers of a minute, which are the emulator's; `left()` counts those that nobody cleared. */
function watchTimers(): { left(): number; started(): number } {
  const starters = [jest.spyOn(global, 'setTimeout'), jest.spyOn(global, 'setInterval')];
  const clearers = [jest.spyOn(global, 'clearTimeout'), jest.spyOn(global, 'clearInterval')];
  const timers = (): unknown[] =>
    starters.flatMap(({ mock }) =>
      mock.results
        .filter((_result, index) => mock.calls[index]?.[1] === 60_000)
        .map(({ value }) => value as unknown),
    );
  return {
    started: () => timers().length,
    left() {
      const cleared = clearers.flatMap(({ mock }) => mock.calls.map(([timer]) => timer as unknown));
      return timers().filter((timer) => !cleared.includes(timer)).length;
    },
  };
}

afterEach(() => jest.restoreAllMocks());

describe('close() of the emulator', () => {
  test.each<[string, EmulatorFault, number]>([
    ['stalled', 'stall', 0],
    ['stalled in the body', 'stall-mid-body', 0],
    ['dripping', { dripMs: 60_000 }, 1],
    ['delayed', { delayMs: 60_000 }, 1],
  ])('is prompt with a request that is %s, and leaves no timer', async (_name, fault, timerCount) => {
    const emulator = await start({ record: true });
    emulator.failTokenRequests(fault);
    const timers = watchTimers();
    const outcome = axios.post(`${emulator.url}/v1/oauth/token`, '').then(
      () => 'answered',
      () => 'dropped',
    );
    while (emulator.tokenLog.length === 0) await new Promise(setImmediate);
    // In time for the test: otherwise it would take a minute.
    await emulator.close();
    expect(await outcome).toBe('dropped');
    expect([timers.started(), timers.left()]).toEqual([timerCount, 0]);
  });

  test('drops idle connections, whether or not they carried a request', async () => {
    const emulator = await start();
    const httpAgent = new Agent({ keepAlive: true });
    await axios.get(`${emulator.url}/v1/echo`, { httpAgent, validateStatus: null });
    const silent = connect(Number(new URL(emulator.url).port), '127.0.0.1').resume();
    await once(silent, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const dropped = once(silent, 'close');
    // In time for the test: otherwise they would stay open for a minute.
    await emulator.close();
    await dropped;
    httpAgent.destroy();
  });

  test('frees the port, and may be called again', async () => {
    const port = await ownPort();
    const emulator = await start({ port });
    await Promise.all([emulator.close(), emulator.close()]);
    await emulator.close();
    const successor = await start({ port });
    expect(successor.url).toBe(emulator.url);
    await expect(startBipsyncEmulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('runs at the end of a block with await using', async () => {
    let url: string;
    {
      await using emulator = await startBipsyncEmulator({ port: await ownPort() });
      ({ url } = emulator);
      expect((await requestToken(emulator)).status).toBe(200);
    }
    await expect(axios.get(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('the connections of the emulator stay open for a minute between requests', async () => {
  const emulator = await start();
  expect((await requestToken(emulator)).headers.get('keep-alive')).toBe('timeout=60');
});

test('the emulator drops a delayed answer when its client gives up', async () => {
  const emulator = await start({ record: true });
  emulator.failTokenRequests({ delayMs: 60_000 });
  const timers = watchTimers();
  const controller = new AbortController();
  const outcome = fetch(`${emulator.url}/v1/oauth/token`, { method: 'POST', signal: controller.signal });
  outcome.catch(() => undefined);
  while (emulator.tokenLog.length === 0) await new Promise(setImmediate);
  expect([timers.started(), timers.left()]).toEqual([1, 1]);
  controller.abort();
  await expect(outcome).rejects.toThrow();
  while (timers.left() > 0) await new Promise(setImmediate);
});

test('the emulator serves a thousand connections at once', async () => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  const options = { agent: false, headers: { Authorization: `Bearer ${token}` } } as const;
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const [response] = (await once(get(`${emulator.url}/v1/echo`, options), 'response')) as [
        IncomingMessage,
      ];
      response.resume();
      return response.statusCode;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(emulator.apiRequests).toBe(1000);
}, 30_000);

it('the emulator listens on 127.0.0.1 only, and not on the other addresses of the machine', async () => {
  const emulator = await start();
  const socket = connect({ host: '127.0.0.2', port: Number(new URL(emulator.url).port) });
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => 'connected'),
    once(socket, 'error').then(() => 'refused'),
  ]).catch(() => 'refused');
  socket.destroy();
  expect(outcome).toBe('refused');
});
