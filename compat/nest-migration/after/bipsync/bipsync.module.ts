import { Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { BipsyncHttpModule } from 'axios-bipsync-auth/nestjs';

@Module({
  imports: [
    BipsyncHttpModule.registerAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        auth: {
          baseURL: config.getOrThrow<string>('BIPSYNC_BASE_URL'),
          clientId: config.getOrThrow<string>('BIPSYNC_CLIENT_ID'),
          clientSecret: config.getOrThrow<string>('BIPSYNC_CLIENT_SECRET'),
          teamId: config.getOrThrow<string>('BIPSYNC_TEAM_ID'),
          scopes: ['rest_api:read', 'rest_api:write'],
          tokenTimeoutMs: 4000, // shorter than `timeout`, so that a slow token endpoint is reported as such
        },
        http: {
          timeout: 5000,
          maxRedirects: 5,
        },
      }),
    }),
  ],
  exports: [BipsyncHttpModule],
})
export class BipsyncModule {}
