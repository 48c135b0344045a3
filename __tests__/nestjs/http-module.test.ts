import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, type OnModuleInit } from '@nestjs/common';
import axios from 'axios';

import { installBipsyncAuth } from '../../src';
import { installBipsyncAuthOn } from '../../src/nestjs';
import { type BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { boot, handlersOf, refusalOf, ResearchController } from './application';

/** The one line in `onModuleInit`, for applications that keep Nest's own module. */
function researchModule(
  emulator: BipsyncEmulator,
  httpModule: object,
): { module: new (http: HttpService) => object } {
  class ResearchModule implements OnModuleInit {
    constructor(@Inject(HttpService) private readonly http: HttpService) {}

    onModuleInit(): void {
      installBipsyncAuthOn(this.http, configFor(emulator));
    }
  }
  const metadata = { imports: [httpModule as typeof HttpModule], controllers: [ResearchController] };
  return { module: ResearchModule, ...metadata };
}

describe("Nest's own HttpModule", () => {
  it('takes the plugin by one line in onModuleInit', async () => {
    const emulator = await startEmulator();
    const httpModule = HttpModule.register({ headers: { 'X-Desk': 'credit' } });
    const { get } = await boot({ imports: [researchModule(emulator, httpModule)] });
    expect((await get('/research')).status).toBe(200);
    emulator.revokeTokens();
    expect((await get('/research')).status).toBe(200);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(emulator.requests[0]?.headers['x-desk']).toBe('credit');
    expect(emulator.tokenRequests).toBe(2);
    expect(handlersOf(axios)).toEqual({ request: 0, response: 0 });
  });

  it('without register() hands out the axios of the whole process, which is refused', async () => {
    const emulator = await startEmulator();
    const { error } = await refusalOf({ imports: [researchModule(emulator, HttpModule)] });
    expect(error).toMatchObject({
      name: 'BipsyncAuthError',
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /default export.*HttpModule\.register\(\{\}\).*BipsyncHttpModule/,
      ) as unknown,
    });
    expect(handlersOf(axios)).toEqual({ request: 0, response: 0 });
    // Why the refusal is needed: the core has no way to know that nobody chose this instance.
    const { app } = await boot({ imports: [HttpModule] });
    expect(app.get(HttpService).axiosRef).toBe(axios);
  });

  it('refuses what installBipsyncAuth refuses', async () => {
    const emulator = await startEmulator();
    const http = new HttpService(axios.create());
    const auth = installBipsyncAuthOn(http, configFor(emulator));
    expect(() => installBipsyncAuthOn(http, configFor(emulator))).toThrow(
      /installed on this axios instance already/,
    );
    auth.eject();
    installBipsyncAuth(http.axiosRef, configFor(emulator)).eject();
  });
});
