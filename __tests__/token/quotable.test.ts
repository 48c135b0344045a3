import { formOf, rejection, scripted } from '../support/scripted';
import { request } from './support';

it('a secret that cannot be encoded as it is gets an answer as any other', async () => {
  const state = scripted({ clientSecret: 'half a pair: \ud800!' });
  state.onToken = (request) => ({
    status: 401,
    body: { error: 'invalid_client', error_description: formOf(request)['client_secret'] },
  });
  const error = await rejection(request(state));
  expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS', oauthError: 'invalid_client' });
  expect(error).not.toHaveProperty('oauthErrorDescription');
});

it.each([
  ['without the white space around it', 's3cr3t-abc\n', 's3cr3t-abc'],
  ['as lower-case percent encoding has it', 'a+b/c==', 'a%2bb%2fc%3d%3d'],
  ['in another normal form of Unicode', 'große-äpfel-für-öl'.normalize('NFD'), 'große-äpfel-für-öl'],
  ['without its last character', 'hunter2hunt', 'hunter2hun'],
  ['as HTML has it', `p&q<r>"s'`, 'p&amp;q&lt;r&gt;&quot;s&#039;'],
])('an echo of the secret is left out also %s', async (_how, secret, echo) => {
  const state = scripted({ clientSecret: secret });
  state.onToken = () => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `bad ${echo}!` },
  });
  const error = await rejection(request(state));
  expect(error).toMatchObject({ oauthError: 'invalid_client' });
  expect(error).not.toHaveProperty('oauthErrorDescription');
  expect(error.message).not.toContain(echo);
});

it('what the token endpoint says is shown in one short line', async () => {
  const state = scripted();
  const error_description = `The client is unknown.\r\nX: ${'so '.repeat(1000)}`;
  state.onToken = () => ({ status: 400, body: { error: 'invalid_request', error_description } });
  const error = await rejection(request(state));
  expect(error['oauthError']).toBe('invalid_request');
  expect(error['oauthErrorDescription']).toMatch(/^The client is unknown\. X: (?:so )+s?o?$/);
  expect(String(error['oauthErrorDescription'])).toHaveLength(300);
});

it('what the token endpoint says is not shown if it repeats the secret in any form', async () => {
  const secret = 'p@ss (w)ord/+"x"';
  const state = scripted({ clientSecret: secret });
  state.onToken = () => ({
    status: 400,
    body: {
      error: 'invalid_request',
      error_description: `bad ${secret} or ${encodeURIComponent(secret)} or ${new URLSearchParams({ s: secret }).toString().slice(2)} or ${JSON.stringify(secret).slice(1, -1)}\r\nX: ${'y'.repeat(1000)}`,
    },
  });
  const error = await rejection(request(state));
  expect(error['oauthError']).toBe('invalid_request');
  expect(error).not.toHaveProperty('oauthErrorDescription');
  expect(error.message).not.toContain(secret);
});

const RANDOM_SECRET = 'q7Hk2Lr9Zx4Vb8Nm3Wc6Tp1Yd5Sf0Ga8';

it.each<[string, (secret: string) => string]>([
  ['in base64', (secret) => Buffer.from(secret).toString('base64')],
  ['in hexadecimal digits', (secret) => Buffer.from(secret).toString('hex')],
  ['as numbers of characters', (secret) => Array.from(Buffer.from(secret)).join(' ')],
  ['with other letters', (secret) => secret.replace(/[a-z]/g, 'x')],
  [
    'encoded in letters only',
    (secret) => Array.from(secret, (one) => `K${one.charCodeAt(0) % 2 ? 'Q' : 'Z'}`).join(''),
  ],
])('an encoded secret is left out: %s', async (_how, encode) => {
  const state = scripted({ clientSecret: RANDOM_SECRET });
  const echo = encode(RANDOM_SECRET);
  state.onToken = () => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `bad: ${echo}` },
  });
  const error = await rejection(request(state));
  expect(error).not.toHaveProperty('oauthErrorDescription');
  expect(error.message).not.toContain(echo.slice(0, 12));
});

it.each([
  'The address 203.0.113.17 is not permitted.',
  'Ünïcode Wörter sind auch Prosa, and so is a HTTP 400.',
])('ordinary words are shown: %s', async (error_description) => {
  const state = scripted({ clientSecret: RANDOM_SECRET });
  state.onToken = () => ({ status: 401, body: { error: 'invalid_client', error_description } });
  expect(await rejection(request(state))).toMatchObject({ oauthErrorDescription: error_description });
});

it.each(['not a code', '<b>invalid_client</b>', 'invalid_client!', '_', 7, 'e'.repeat(65)])(
  'an error that is no error code is not shown as one: %j',
  async (notCode) => {
    const state = scripted();
    state.onToken = () => ({ status: 400, body: { error: notCode } });
    const error = await rejection(request(state));
    expect(error).not.toHaveProperty('oauthError');
    expect(error.message).toContain(' answered 400. ');
  },
);
