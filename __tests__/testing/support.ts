import { startBipsyncEmulator } from '../../src/testing';
import type { BipsyncEmulator, BipsyncEmulatorOptions } from '../../src/testing';

const started: BipsyncEmulator[] = [];

/** start gives an emulator that ends with the test. */
export async function start(options?: BipsyncEmulatorOptions): Promise<BipsyncEmulator> {
  const emulator = await startBipsyncEmulator(options);
  started.push(emulator);
  return emulator;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((emulator) => emulator.close()));
});

export type Parameters = Record<string, string>;

/** credentials is a good token request's parameters, with changes. */
export function credentials(emulator: BipsyncEmulator, changes: Parameters = {}): Parameters {
  const { clientId, clientSecret, teamId } = emulator;
  return {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: `team_${teamId} rest_api:read`,
    ...changes,
  };
}

export function requestToken(emulator: BipsyncEmulator, changes?: Parameters): Promise<Response> {
  const body = new URLSearchParams(credentials(emulator, changes));
  return fetch(`${emulator.url}/v1/oauth/token`, { method: 'POST', body });
}

/** tokenFor gives an access token for the emulator's team and these scopes. */
export async function tokenFor(emulator: BipsyncEmulator, ...scopes: string[]): Promise<string> {
  const response = await requestToken(emulator, { scope: [`team_${emulator.teamId}`, ...scopes].join(' ') });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

/** call sends an API request with that token, or with none. */
export function call(
  emulator: BipsyncEmulator,
  path: string,
  token?: string,
  init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  const headers = { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...init.headers };
  return fetch(emulator.url + path, { ...init, headers });
}
