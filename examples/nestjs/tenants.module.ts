import { HttpService } from '@nestjs/axios';
import { Inject, Injectable, Module } from '@nestjs/common';
import { bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';
import { BipsyncHttpModule, getBipsyncHttpToken } from 'axios-bipsync-auth/nestjs';
import { firstValueFrom } from 'rxjs';

/** The settings of one tenant: ACME_CLIENT_ID is its BIPSYNC_CLIENT_ID, and so on. */
function settingsOf(tenant: string): Record<string, string> {
  const prefix = `${tenant.toUpperCase()}_`;
  return Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value = '']) => [`BIPSYNC_${name.slice(prefix.length)}`, value]),
  );
}

@Injectable()
export class ContentTypes {
  constructor(
    @Inject(getBipsyncHttpToken('acme')) private readonly acme: HttpService,
    @Inject(getBipsyncHttpToken('globex')) private readonly globex: HttpService,
  ) {}

  async statuses(): Promise<number[]> {
    const both = [this.acme, this.globex].map((http) => firstValueFrom(http.get('/v1/contenttype')));
    return (await Promise.all(both)).map(({ status }) => status);
  }
}

@Module({
  imports: ['acme', 'globex'].map((name) =>
    BipsyncHttpModule.registerAsync({
      name,
      useFactory: () => ({ auth: bipsyncAuthConfigFromEnv(settingsOf(name)) }),
    }),
  ),
  providers: [ContentTypes],
  exports: [ContentTypes],
})
export class TenantsModule {}
