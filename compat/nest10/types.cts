// Compiled, not run: Nest's own HttpService knows the plugin's option, from ESM and from CommonJS.
import type { HttpService } from '@nestjs/axios';
import { BIPSYNC_AUTH } from 'axios-bipsync-auth/nestjs';

export const research = (http: HttpService) =>
  http.get('/v1/research', { bipsyncAuth: { scopes: ['research:read'] } });
export const handle = BIPSYNC_AUTH;
