import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  HttpHealthIndicator,
  TerminusModule,
} from '@nestjs/terminus';
import { bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';
import { BipsyncHttpModule } from 'axios-bipsync-auth/nestjs';

import { BipsyncHealthIndicator } from './bipsync.health';

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HttpHealthIndicator) private readonly http: HttpHealthIndicator,
    @Inject(HttpService) private readonly bipsync: HttpService,
    @Inject(BipsyncHealthIndicator) private readonly bipsyncHealth: BipsyncHealthIndicator,
  ) {}

  /** For a readiness probe: it costs nothing while a token is valid. */
  @Get('token')
  @HealthCheck()
  token(): Promise<HealthCheckResult> {
    return this.health.check([() => this.bipsyncHealth.hasToken('bipsync')]);
  }

  /** For a dashboard: each call sends a request to the API, by the HttpService that has the plugin. */
  @Get('api')
  @HealthCheck()
  api(): Promise<HealthCheckResult> {
    const httpClient = this.bipsync;
    return this.health.check([() => this.http.pingCheck('bipsync', '/v1/contenttype', { httpClient })]);
  }
}

@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    // In your application, import your BipsyncModule here instead of registering it again.
    BipsyncHttpModule.registerAsync({
      useFactory: () => ({ auth: bipsyncAuthConfigFromEnv(), http: { timeout: 15_000 } }),
    }),
  ],
  providers: [BipsyncHealthIndicator],
  controllers: [HealthController],
})
export class HealthModule {}
