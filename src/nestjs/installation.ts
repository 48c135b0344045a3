import { isDeepStrictEqual } from 'node:util';

import { HttpService } from '@nestjs/axios';
import type { OnApplicationShutdown } from '@nestjs/common';
import axios from 'axios';

import { type BipsyncAuth, installBipsyncAuth } from '../index';
import { type BipsyncHttpOptions, ownOptions } from './options';
import { naming, refuse } from './refusal';

/** INSTALLATION is not exported. Every copy of this package finds the provider under this token. */
export const INSTALLATION = 'BIPSYNC_HTTP_INSTALLATION';

/** One private axios with the plugin on it. */
interface Installed {
  readonly http: HttpService;
  readonly auth: BipsyncAuth;
}

/** GetOptions is what Nest has made of the options: a function, so that they are asked for when they are needed. */
export type GetOptions = () => BipsyncHttpOptions | Promise<BipsyncHttpOptions>;

/** Installation asks for the options, and installs, when the first of the public providers is made. */
export interface Installation extends OnApplicationShutdown {
  readonly get: () => Promise<Installed>;
  /** Known from the moment the options were asked for. */
  options?: BipsyncHttpOptions;
}

/**
 * createInstallation makes a provider. Nest calls the hooks of every provider that has them, also of a plain object.
 * `sameName` returns the installations of one name in one application, this one among them.
 */
export function createInstallation(
  name: string | undefined,
  getOptions: GetOptions,
  sameName: () => Installation[],
): Installation {
  let installed: Promise<Installed> | undefined;

  const install = async (): Promise<Installed> => {
    const options = await getOptions();
    refuseOtherOptions(options);
    installation.options = options;
    refuseDifferentOptions(name, options, sameName());
    const { auth: config, http } = ownOptions(options);
    const instance = axios.create(http);
    return { auth: installBipsyncAuth(instance, config), http: new HttpService(instance) };
  };

  const installation: Installation = {
    get: () => (installed ??= naming(name, install)),
    // Not `onModuleDestroy`: the server is then still answering, with requests to Bipsync that need their token.
    onApplicationShutdown: () =>
      installed?.then(
        ({ auth }) => auth.eject(),
        () => undefined,
      ),
  };
  return installation;
}

/** Nest would inject either of them. The module whose options come last sees the options of all. */
function refuseDifferentOptions(
  name: string | undefined,
  options: BipsyncHttpOptions,
  sameName: Installation[],
): void {
  if (sameName.every((other) => !other.options || isDeepStrictEqual(other.options, options))) return;
  refuse(
    `Another BipsyncHttpModule ${name === undefined ? 'without a name' : 'with this name'} has different options, so Nest ` +
      'could inject the wrong one. If options contain functions, for example clientSecret, they are equal only ' +
      'with the same function objects. Give each tenant its own name. For one tenant, register the module only once, and ' +
      'import this registered module in the other modules.',
  );
}

/** refuseNoObject rejects options that have no members to read. */
export function refuseNoObject(options: unknown): asserts options is object {
  if (typeof options === 'object' && options !== null) return;
  refuse('The options of BipsyncHttpModule must be an object with auth and, optionally, http.');
}

/** A `name` that a factory returned, for example, would be ignored, and two tenants mixed up. */
function refuseOtherOptions(options: unknown): void {
  refuseNoObject(options);
  const others = Object.keys(options).filter((option) => option !== 'auth' && option !== 'http');
  if (others.length > 0) {
    refuse(
      `BipsyncHttpModule: unknown option ${others.map((option) => JSON.stringify(option)).join(', ')}. The options are ` +
        'auth (for the plugin) and http (for axios). With registerAsync, write name and global next to useFactory.',
    );
  }
}
