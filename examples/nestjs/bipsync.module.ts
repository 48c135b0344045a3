import { Module } from '@nestjs/common';
import { bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';
import { BipsyncHttpModule } from 'axios-bipsync-auth/nestjs';

@Module({
  imports: [
    BipsyncHttpModule.registerAsync({
      useFactory: () => ({
        auth: bipsyncAuthConfigFromEnv(),
        // Longer than `tokenTimeoutMs` (10 s), so that a slow token endpoint is reported as such.
        http: { timeout: 15_000 },
      }),
    }),
  ],
  exports: [BipsyncHttpModule],
})
export class BipsyncModule {}
