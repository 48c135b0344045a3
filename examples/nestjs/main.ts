/**
 * A Nest application in front of Bipsync: starts, answers one request of its own, ends.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read.
 */
import type { AddressInfo } from 'node:net';

import { NestFactory } from '@nestjs/core';

import { ResearchModule } from './research.module';

async function main(): Promise<void> {
  const app = await NestFactory.create(ResearchModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();

  const answer = await fetch(`http://127.0.0.1:${port}/research/note-1`);
  if (!answer.ok) process.exitCode = 1;
  console.log(answer.status, await answer.json());

  await app.close();
}

void main();
