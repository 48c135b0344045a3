import { Blob, File } from 'node:buffer';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import axios, { type AxiosRequestConfig } from 'axios';
import MultipartForm from 'form-data';

import type { RecordedApiRequest } from '../../src/testing';
import { emulated, type Emulated } from '../support/emulated';

interface Body {
  name: string;
  data: () => unknown;
  options?: AxiosRequestConfig;
}

const note = { title: 'Ünïcode “note”', tags: ['a', 'b'], nested: { n: 1.5, none: null } };

/** Every byte value, in a pattern that does not fit any block size. */
const pattern = Buffer.from(Array.from({ length: 1021 }, (_, n) => (n * 31 + (n >> 8)) & 255));
const bytes = (length: number): Buffer => Buffer.alloc(length, pattern);

const repeatable: Body[] = [
  { name: 'JSON', data: () => note, options: { headers: { 'X-Own': '1' } } },
  { name: 'a JSON array', data: () => [note, 2, null] },
  {
    name: 'a string that is JSON already',
    data: () => JSON.stringify(note),
    options: { headers: { 'Content-Type': 'application/json' } },
  },
  {
    name: 'an object as a form',
    data: () => ({ title: 'a b&c=d', n: 1, list: ['x', 'y'] }),
    options: { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
  },
  { name: 'URLSearchParams', data: () => new URLSearchParams({ title: 'a b&c=d', n: '1' }) },
  {
    name: 'FormData with a file',
    data: () => {
      const form = new FormData();
      form.append('title', note.title);
      form.append(
        'file',
        new File([bytes(5000)], 'note.bin', { type: 'application/x-note' }) as globalThis.File,
      );
      return form;
    },
  },
  {
    name: 'a Buffer',
    data: () => bytes(5000),
    options: { headers: { 'Content-Type': 'application/x-note' } },
  },
  { name: 'a typed array', data: () => new Uint16Array(bytes(5000)) },
  { name: 'a view into a larger buffer', data: () => new Uint8Array(bytes(5000)).subarray(100, 600) },
  { name: 'an ArrayBuffer', data: () => new Uint8Array(bytes(5000)).buffer },
  { name: 'a Blob', data: () => new Blob([bytes(5000)], { type: 'application/x-note' }) },
  {
    name: 'JSON that transformRequest compresses',
    data: () => note,
    options: {
      transformRequest: [
        (data, headers) => {
          headers.set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' });
          return gzipSync(JSON.stringify(data));
        },
      ],
    },
  },
  { name: '10 MB', data: () => bytes(10_000_000) },
  { name: 'nothing', data: () => undefined },
];

const asItIs: AxiosRequestConfig = { transformRequest: [(data: unknown) => data] };

const oneShot: (Body & { adapters: readonly ('http' | 'fetch')[] })[] = [
  { name: 'a Node stream', data: () => Readable.from([bytes(100), bytes(100)]), adapters: ['http', 'fetch'] },
  {
    name: 'a form of the form-data package',
    data: () => {
      const form = new MultipartForm();
      form.append('title', 'a note');
      form.append('file', bytes(100), 'note.bin');
      return form;
    },
    adapters: ['http'],
  },
  { name: 'a web stream', data: () => new globalThis.Blob([bytes(100)]).stream(), adapters: ['fetch'] },
  {
    name: 'an async iterable',
    data: async function* () {
      yield await Promise.resolve(bytes(100));
    },
    options: asItIs,
    adapters: ['fetch'],
  },
];

const adapters = ['http', 'fetch'] as const;

/** The plugin with a token that the API refuses by now. */
async function withRevokedToken(adapter: 'http' | 'fetch'): Promise<Emulated> {
  const it = await emulated({ http: { adapter } });
  await it.api.get('/v1/research');
  it.emulator.revokeTokens();
  it.emulator.resetCounters();
  return it;
}

interface Arrived {
  body: Buffer;
  headers: Record<string, unknown>;
}

/** What arrived, but for the connection and the boundary that a multipart body has anew each time. */
function arrived(request: RecordedApiRequest | undefined): Arrived {
  if (request === undefined) throw new Error('the request did not arrive');
  const headers = { ...request.headers, connection: undefined };
  const body = Buffer.from(request.body);
  const boundary = /^--(\S{10,80})\r\n/.exec(body.subarray(0, 100).toString('latin1'))?.[1];
  if (boundary === undefined) return { body, headers };
  const plain = (text: string): string => text.replaceAll(boundary, 'BOUNDARY');
  return {
    body: Buffer.from(plain(body.toString('latin1')), 'latin1'),
    headers: { ...headers, 'content-type': plain(headers['content-type'] ?? '') },
  };
}

describe.each(adapters)('on the %s adapter', (adapter) => {
  test.each(repeatable)(
    'the first attempt and the replay of $name arrive with the same bytes',
    async ({ data, options }) => {
      const { api, emulator } = await withRevokedToken(adapter);
      const plain = axios.create({ adapter, baseURL: emulator.url });
      const config = { ...options, validateStatus: () => true };
      const response = await api.post('/v1/echo', data(), config);
      // What an axios without the plugin sends is the measure of both.
      await plain.post('/v1/echo', data(), config);

      expect(response.status).toBe(200);
      expect(emulator.requests.map((it) => it.authorization)).toEqual(['refused', 'valid', 'none']);
      const [first, second, measure] = emulator.requests.map(arrived);
      expect(first!.headers).toEqual(measure!.headers);
      expect(second!.headers).toEqual(measure!.headers);
      // Nobody wants to read a diff of ten megabytes.
      expect([first!.body.equals(measure!.body), second!.body.equals(measure!.body)]).toEqual([true, true]);
      expect(emulator.tokenRequests).toBe(1);
    },
  );

  test.each(oneShot.filter((body) => body.adapters.includes(adapter)))(
    '$name is sent once: the 401 surfaces, and the next request has a new token',
    async ({ data, options }) => {
      const { api, emulator } = await withRevokedToken(adapter);
      const config = { ...options, validateStatus: (status: number) => status === 200 };
      await expect(api.post('/v1/echo', data(), config)).rejects.toMatchObject({ response: { status: 401 } });
      expect(emulator.requests.map(({ authorization }) => authorization)).toEqual(['refused']);

      const { status } = await api.post('/v1/echo', data(), config);
      expect(status).toBe(200);
      expect(emulator.requests.map(({ authorization }) => authorization)).toEqual(['refused', 'valid']);
      const [first, second] = emulator.requests;
      expect(first!.body.length).toBeGreaterThan(0);
      expect(arrived(second).body.equals(arrived(first).body)).toBe(true);
      expect(emulator.tokenRequests).toBe(1);
    },
  );
});

test('interceptors and transformRequest run once, whatever the number of attempts', async () => {
  const { api, emulator } = await withRevokedToken('http');
  let intercepted = 0;
  let transformed = 0;
  api.interceptors.request.use((config) => {
    intercepted += 1;
    return config;
  });
  await api.post('/v1/echo', note, {
    transformRequest: [
      (data) => {
        transformed += 1;
        return JSON.stringify(data);
      },
    ],
  });
  expect([intercepted, transformed, emulator.apiRequests]).toEqual([1, 1, 2]);
});
