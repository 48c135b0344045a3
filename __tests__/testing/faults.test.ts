import { connect } from 'node:net';

import axios from 'axios';

import type { BipsyncEmulator, EmulatorFault } from '../../src/testing';
import { call, requestToken, start, tokenFor } from './support';

/** Up to the end of the connection. */
const toTheEnd = (): boolean => false;
/** The head of an answer, and something of its body. */
const begun = (text: string): boolean => bodyShare(text) > 0;

/** The raw exchange of one token request: all until something is seen, and what comes in the 100 ms after that. */
async function rawAnswer(
  emulator: BipsyncEmulator,
  isSeen: (text: string) => boolean,
): Promise<{ text: string; ended: boolean }> {
  const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1');
  let text = '';
  let ended = false;
  const seen = new Promise<void>((resolve) => {
    const look = (): unknown => isSeen(text) && resolve();
    socket.on('connect', look);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      look();
    });
  });
  socket.on('error', () => undefined);
  socket.on('close', () => (ended = true));
  socket.write('POST /v1/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([closed, seen.then(() => new Promise((resolve) => setTimeout(resolve, 100)))]);
  const outcome = { text, ended };
  socket.destroy();
  return outcome;
}

/** How far the body came that Content-Length announced. */
function bodyShare(text: string): number {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return body.length / Number(/content-length: (\d+)/i.exec(head)?.[1]);
}

describe('a fault of the emulator', () => {
  test('with a status replaces the answer by that status, headers and body', async () => {
    const emulator = await start();
    emulator.failTokenRequests({
      status: 429,
      headers: { 'Retry-After': '7' },
      body: { error: 'slow_down' },
    });
    emulator.failTokenRequests({ status: 200, body: '<html>' });
    emulator.failTokenRequests({
      status: 200,
      body: Buffer.from('{"acc'),
      headers: { 'content-type': 'a/b' },
    });
    emulator.failTokenRequests({ status: 503 });
    const limited = await requestToken(emulator);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect(limited.headers.get('content-type')).toBe('application/json');
    expect(await limited.json()).toEqual({ error: 'slow_down' });
    const html = await requestToken(emulator);
    expect([html.status, await html.text()]).toEqual([200, '<html>']);
    const cut = await requestToken(emulator);
    expect([cut.headers.get('content-type'), await cut.text()]).toEqual(['a/b', '{"acc']);
    const empty = await requestToken(emulator);
    expect([empty.status, await empty.text()]).toEqual([503, '']);
    expect((await requestToken(emulator)).status).toBe(200);
  });

  test.each([
    [{ redirectTo: 'http://127.0.0.1:1/else' }, 307] as const,
    [{ redirectTo: '/x', status: 302 }, 302] as const,
  ])('%j answers with a redirect', async (fault, status) => {
    const emulator = await start();
    emulator.failApiRequests(fault);
    const response = await call(emulator, '/v1/echo', 'x', { redirect: 'manual' });
    expect(response.status).toBe(status);
    expect(response.headers.get('location')).toBe(fault.redirectTo);
  });

  test('"reset" resets the connection before the answer', async () => {
    const emulator = await start();
    emulator.failTokenRequests('reset');
    await expect(axios.post(`${emulator.url}/v1/oauth/token`, '')).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    emulator.failTokenRequests('reset');
    expect(await rawAnswer(emulator, toTheEnd)).toEqual({ text: '', ended: true });
  });

  test('"stall" never answers', async () => {
    const emulator = await start();
    emulator.failTokenRequests('stall');
    expect(await rawAnswer(emulator, () => true)).toEqual({ text: '', ended: false });
  });

  test.each<[EmulatorFault, boolean]>([
    ['reset-mid-body', true],
    ['stall-mid-body', false],
  ])('%j sends half of the body', async (fault, ended) => {
    const emulator = await start();
    emulator.failTokenRequests(fault);
    const answer = await rawAnswer(emulator, ended ? toTheEnd : begun);
    expect(answer.ended).toBe(ended);
    expect(answer.text).toMatch(/^HTTP\/1.1 400 /);
    expect(bodyShare(answer.text)).toBeCloseTo(0.5, 1);
  });

  test('with dripMs sends the normal answer byte by byte', async () => {
    const emulator = await start();
    emulator.failTokenRequests({ dripMs: 10 });
    const partial = bodyShare((await rawAnswer(emulator, begun)).text);
    expect(partial).toBeGreaterThan(0);
    expect(partial).toBeLessThan(0.5);
    emulator.failTokenRequests({ dripMs: 60_000 });
    expect((await requestToken(emulator)).status).toBe(200);
    emulator.failTokenRequests({ dripMs: 1 });
    expect(await (await requestToken(emulator)).json()).toHaveProperty('access_token');
  });

  test('with oversizeBytes makes the normal answer larger, without a Content-Length', async () => {
    const emulator = await start();
    emulator.failTokenRequests({ oversizeBytes: 1_000_000 });
    const response = await requestToken(emulator);
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toHaveLength(1_000_000);
    expect(JSON.parse(text)).toHaveProperty('access_token');
  });

  test('with delayMs delays the normal answer in addition to the general delay', async () => {
    const emulator = await start({ tokenDelayMs: 60, apiDelayMs: 60 });
    const elapsed = async (run: () => Promise<Response>): Promise<number> => {
      const before = performance.now();
      await run();
      return performance.now() - before;
    };
    expect(await elapsed(() => requestToken(emulator))).toBeGreaterThan(55);
    expect(await elapsed(() => call(emulator, '/v1/echo'))).toBeGreaterThan(55);
    emulator.failTokenRequests({ delayMs: 60 });
    expect(await elapsed(() => requestToken(emulator))).toBeGreaterThan(115);
    emulator.tokenDelayMs = emulator.apiDelayMs = 120;
    expect(await elapsed(() => requestToken(emulator))).toBeGreaterThan(115);
    expect(await elapsed(() => call(emulator, '/v1/echo'))).toBeGreaterThan(115);
  });

  test('is recorded with the status that it answered', async () => {
    const emulator = await start({ record: true });
    emulator.failTokenRequests({ status: 500 });
    emulator.failApiRequests('reset');
    await requestToken(emulator);
    await call(emulator, '/v1/echo').catch(() => undefined);
    expect(emulator.tokenLog).toMatchObject([{ encoding: 'form', status: 500 }]);
    expect(emulator.requests).toMatchObject([{ path: '/v1/echo', authorization: 'none', status: undefined }]);
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([1, 1]);
  });
});

describe('faults of the emulator', () => {
  const statuses = async (emulator: BipsyncEmulator, count: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let index = 0; index < count; index += 1) seen.push((await requestToken(emulator)).status);
    return seen;
  };

  test('last for their number of requests, in the order in which they were added', async () => {
    const emulator = await start();
    emulator.failTokenRequests({ status: 500 }, 2);
    emulator.failTokenRequests({ status: 503 });
    expect(await statuses(emulator, 5)).toEqual([500, 500, 503, 200, 200]);
  });

  test('for API requests leave token requests alone', async () => {
    const emulator = await start();
    emulator.failApiRequests({ status: 500 });
    const token = await tokenFor(emulator);
    expect((await call(emulator, '/v1/echo', token)).status).toBe(500);
    expect((await call(emulator, '/v1/echo', token)).status).toBe(200);
  });

  test('end one by one by the returned function, or all at once by clearFaults()', async () => {
    const emulator = await start();
    const end = emulator.failTokenRequests({ status: 500 }, Infinity);
    emulator.failTokenRequests({ status: 503 }, Infinity);
    expect(await statuses(emulator, 3)).toEqual([500, 500, 500]);
    end();
    expect(await statuses(emulator, 2)).toEqual([503, 503]);
    emulator.failApiRequests({ status: 500 });
    emulator.clearFaults();
    expect(await statuses(emulator, 1)).toEqual([200]);
    expect((await call(emulator, '/v1/echo')).status).toBe(401);
  });

  test.each([0, -1, 1.5, NaN])('cannot be added for %p requests', async (times) => {
    const emulator = await start();
    expect(() => emulator.failTokenRequests('reset', times)).toThrow(RangeError);
  });
});
