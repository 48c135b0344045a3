/**
 * A Nest application with a health check: starts, asks for its own health, ends.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read.
 */
import { NestFactory } from '@nestjs/core';

import { HealthModule } from './health.module';

async function main(): Promise<void> {
  const app = await NestFactory.create(HealthModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  for (const check of ['token', 'api']) {
    const answer = await fetch(`${await app.getUrl()}/health/${check}`);
    if (!answer.ok) process.exitCode = 1;
    console.log(answer.status, await answer.text());
  }
  await app.close();
}

void main();
