import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { type BipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';
import { BIPSYNC_AUTH } from 'axios-bipsync-auth/nestjs';

/** Says "down" if there is no token. While a token is valid, this asks nobody. */
@Injectable()
export class BipsyncHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(BIPSYNC_AUTH) private readonly auth: BipsyncAuth,
  ) {}

  async hasToken(key: string): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(key);
    try {
      await this.auth.getToken({ signal: AbortSignal.timeout(2_000) });
      return indicator.up();
    } catch (error) {
      return indicator.down({ code: isBipsyncAuthError(error) ? error.code : 'ERR_TIMEOUT' });
    }
  }
}
