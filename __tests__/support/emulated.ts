import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  type BipsyncAuthEvent,
  installBipsyncAuth,
} from '../../src';
import { type BipsyncEmulator, type BipsyncEmulatorOptions, startBipsyncEmulator } from '../../src/testing';

export interface Emulated {
  emulator: BipsyncEmulator;
  api: AxiosInstance;
  auth: BipsyncAuth;
  events: BipsyncAuthEvent[];
}

const emulators: BipsyncEmulator[] = [];

afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator.close()));
});

export async function startEmulator(options: BipsyncEmulatorOptions = {}): Promise<BipsyncEmulator> {
  const emulator = await startBipsyncEmulator({ record: true, ...options });
  emulators.push(emulator);
  return emulator;
}

export function configFor(emulator: BipsyncEmulator): BipsyncAuthConfig {
  return {
    baseURL: emulator.url,
    clientId: emulator.clientId,
    clientSecret: emulator.clientSecret,
    teamId: emulator.teamId,
    scopes: ['rest_api:read', 'research:read'],
  };
}

/** The plugin against a loopback Bipsync, over real HTTP; everything is closed after the test. */
export async function emulated(
  options: {
    http?: CreateAxiosDefaults;
    auth?: Partial<BipsyncAuthConfig>;
    emulator?: BipsyncEmulatorOptions;
    before?: (api: AxiosInstance) => void;
    after?: (api: AxiosInstance) => void;
  } = {},
): Promise<Emulated> {
  const emulator = await startEmulator(options.emulator);
  const api = axios.create(options.http);
  const events: BipsyncAuthEvent[] = [];
  options.before?.(api);
  const auth = installBipsyncAuth(api, {
    ...configFor(emulator),
    onEvent: (event) => events.push(event),
    ...options.auth,
  });
  options.after?.(api);
  return { emulator, api, auth, events };
}
