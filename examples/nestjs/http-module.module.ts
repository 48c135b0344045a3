import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type BipsyncAuth, bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';
import { installBipsyncAuthOn } from 'axios-bipsync-auth/nestjs';

/** For an application that keeps Nest's own HttpModule. It must be registered: a bare HttpModule is rejected. */
@Module({
  imports: [HttpModule.registerAsync({ useFactory: () => ({ timeout: 15_000 }) })],
  exports: [HttpModule],
})
export class BipsyncModule implements OnModuleInit, OnApplicationShutdown {
  private auth: BipsyncAuth | undefined;

  constructor(@Inject(HttpService) private readonly http: HttpService) {}

  onModuleInit(): void {
    this.auth = installBipsyncAuthOn(this.http, bipsyncAuthConfigFromEnv());
  }

  onApplicationShutdown(): void {
    this.auth?.eject();
  }
}
