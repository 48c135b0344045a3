import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import axios from 'axios';

@Module({
  imports: [
    HttpModule.registerAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        baseURL: config.getOrThrow<string>('BIPSYNC_BASE_URL'),
        timeout: 5000,
        maxRedirects: 5,
      }),
    }),
  ],
  exports: [HttpModule],
})
export class BipsyncModule implements OnModuleInit {
  private token?: string;
  private expiresAt = 0;

  constructor(
    private readonly http: HttpService,
    private readonly config: ConfigService,
  ) {}

  onModuleInit() {
    this.http.axiosRef?.interceptors.request.use(async (request) => {
      request.headers.Authorization = `Bearer ${await this.getToken()}`;
      return request;
    });
  }

  private async getToken() {
    if (this.token && Date.now() < this.expiresAt) return this.token;
    const { data } = await axios.post(
      `${this.config.getOrThrow<string>('BIPSYNC_BASE_URL')}/v1/oauth/token`,
      new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: this.config.getOrThrow<string>('BIPSYNC_CLIENT_ID'),
        client_secret: this.config.getOrThrow<string>('BIPSYNC_CLIENT_SECRET'),
        scope: `rest_api:read rest_api:write team_${this.config.getOrThrow<string>('BIPSYNC_TEAM_ID')}`,
      }),
    );
    this.token = data.access_token;
    this.expiresAt = Date.now() + data.expires_in * 1000;
    return this.token;
  }
}
