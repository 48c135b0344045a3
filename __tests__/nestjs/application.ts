import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

import { HttpService } from '@nestjs/axios';
import {
  Controller,
  Get,
  type INestApplication,
  Inject,
  type LoggerService,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AxiosInstance } from 'axios';
import { map, type Observable } from 'rxjs';

/** What a request handler or any other provider does with an injected `HttpService`. */
@Controller('research')
export class ResearchController {
  constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}

  @Get()
  list(): Observable<unknown> {
    return this.bipsync.get<unknown>('/v1/research').pipe(map(({ data }) => data));
  }
}

export interface Booted {
  app: INestApplication;
  url: string;
  /** Requests a path of the application. */
  get: (path: string) => Promise<{ status: number; body: unknown }>;
}

interface BootOptions {
  logger?: LoggerService;
  moduleIdGeneratorAlgorithm?: 'deep-hash' | 'reference';
}

const apps: INestApplication[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** Starts a Nest application that listens on a loopback port; it is closed after the test. */
export async function boot(metadata: ModuleMetadata, options: BootOptions = {}): Promise<Booted> {
  @Module(metadata)
  class ApplicationModule {}
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest's options are a class
  const app = await NestFactory.create(ApplicationModule, { logger: false, abortOnError: false, ...options });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    url,
    get: async (path) => {
      const response = await fetch(url + path);
      return { status: response.status, body: await response.json() };
    },
  };
}

/** Starts an application that must not start, and gives what it died of and what it logged. */
export async function refusalOf(metadata: ModuleMetadata): Promise<{ error: unknown; logged: string }> {
  const lines: string[] = [];
  const log = (...parts: unknown[]): void => {
    lines.push(...parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 9 }))));
  };
  const logger = { log, error: log, warn: log, debug: log, verbose: log, fatal: log };
  try {
    await boot(metadata, { logger });
  } catch (error) {
    return { error, logged: lines.join('\n') };
  }
  throw new Error('the application started');
}

/** Waits for what happens on the other side of a connection; gives up before the test's own time is over. */
export async function until(happened: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!happened()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await delay(2);
  }
}

export function handlersOf(instance: AxiosInstance): { request: number; response: number } {
  return { request: count(instance.interceptors.request), response: count(instance.interceptors.response) };
}

function count(manager: unknown): number {
  let handlers = 0;
  (manager as { forEach(visit: () => void): void }).forEach(() => (handlers += 1));
  return handlers;
}
