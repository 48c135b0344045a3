import {
  type ArgumentsHost,
  BadGatewayException,
  Catch,
  Logger,
  ServiceUnavailableException,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { isAxiosError } from 'axios';
import { isBipsyncAuthError } from 'axios-bipsync-auth';

/**
 * If this application has no token, its own clients cannot do anything about that: they get 503 and when to try again.
 * They never get the 401 of Bipsync, which would make them log in again.
 */
@Catch()
export class BipsyncErrorFilter extends BaseExceptionFilter {
  private readonly logger = new Logger('Bipsync');

  override catch(exception: unknown, host: ArgumentsHost): void {
    super.catch(host.getType() === 'http' ? this.translated(exception, host) : exception, host);
  }

  private translated(exception: unknown, host: ArgumentsHost): unknown {
    const cause = exception instanceof Error ? exception.cause : undefined;
    const tokenFailure = [exception, cause].find(isBipsyncAuthError);
    if (tokenFailure) {
      this.logger.error(`${tokenFailure.code}: ${tokenFailure.message}`);
      const { retryAfterMs } = tokenFailure;
      if (retryAfterMs !== undefined) {
        const response = host.switchToHttp().getResponse<unknown>();
        const seconds = String(Math.ceil(retryAfterMs / 1000));
        this.httpAdapterHost?.httpAdapter.setHeader(response, 'Retry-After', seconds);
      }
      return new ServiceUnavailableException('Bipsync is not available at the moment.');
    }
    if (isAxiosError(exception)) {
      this.logger.error(`Bipsync: ${exception.message}`);
      return new BadGatewayException('Bipsync did not give an answer that can be used.');
    }
    return exception;
  }
}
