import { type Server } from 'node:http';
import { createServer, type Socket } from 'node:net';

import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  type BipsyncAuthEvent,
  installBipsyncAuth,
} from '../../src';
import { type BipsyncEmulator, startBipsyncEmulator } from '../../src/testing';
import {
  listen,
  type Listening,
  type ProxyBehaviour,
  startRefusingProxy,
  startTlsFront,
} from '../living-with/tunnels';

/** A name that no name server has. */
export const NOWHERE = 'https://acme-api.bipsync.invalid';

export interface Application {
  readonly api: AxiosInstance;
  readonly auth: BipsyncAuth;
  readonly events: BipsyncAuthEvent[];
}

/** World is what one row has at its disposal. All that it starts ends with it. */
export interface World {
  readonly emulator: BipsyncEmulator;
  /** A configuration that is in order. */
  readonly config: BipsyncAuthConfig;
  /** The same for the command. */
  readonly env: Record<string, string>;
  /** The plugin on a new instance, with the given differences from what is in order. */
  readonly install: (differences?: Record<string, unknown>, http?: CreateAxiosDefaults) => Application;
  readonly open: <T extends Listening>(starting: Promise<T>) => Promise<T>;
  /** Sets a variable of the process, for axios, which looks for proxies there. */
  readonly set: (name: string, value: string) => void;
  readonly atEnd: (undo: () => unknown) => void;
  readonly end: () => Promise<void>;
}

export async function startWorld(): Promise<World> {
  const undoing: (() => unknown)[] = [];
  const emulator = await startBipsyncEmulator({ record: true });
  const { url, clientId, clientSecret, teamId } = emulator;
  const config = { baseURL: url, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
  const world: World = {
    emulator,
    config,
    env: {
      BIPSYNC_BASE_URL: url,
      BIPSYNC_CLIENT_ID: clientId,
      BIPSYNC_CLIENT_SECRET: clientSecret,
      BIPSYNC_TEAM_ID: teamId,
      BIPSYNC_SCOPES: 'rest_api:read',
    },
    install(differences = {}, http = {}) {
      const api = axios.create(http);
      const events: BipsyncAuthEvent[] = [];
      const onEvent = (event: BipsyncAuthEvent): unknown => events.push(event);
      const given = { ...config, onEvent, ...differences } as BipsyncAuthConfig;
      return { api, auth: installBipsyncAuth(api, given), events };
    },
    async open(starting) {
      const listening = await starting;
      undoing.push(() => listening.close());
      return listening;
    },
    set(name, value) {
      const before = process.env[name];
      process.env[name] = value;
      undoing.push(() => {
        if (before === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before;
      });
    },
    atEnd: (undo) => undoing.push(undo),
    async end() {
      for (const undo of undoing.reverse()) await undo();
      await emulator.close();
    },
  };
  return world;
}

/** https on `localhost`, in front of the emulator. */
export async function tlsFront(
  { open, emulator }: World,
  certificate: { cert: string; key: string },
): Promise<{ port: number; url: string }> {
  const { port } = await open(startTlsFront(certificate, emulator.url));
  return { port, url: `https://localhost:${port}` };
}

/** A TCP server that does one thing to each connection. */
export async function tcp({ open }: World, treat: (socket: Socket) => unknown): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    treat(socket);
  });
  const { port } = await open(listen(server as unknown as Server));
  return port;
}

/** A forward proxy that refuses tunnels. Returns host and port. */
export async function startProxy({ open }: World, behaviour: ProxyBehaviour): Promise<string> {
  const { port } = await open(startRefusingProxy(behaviour));
  return `127.0.0.1:${port}`;
}
