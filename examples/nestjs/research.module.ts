import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject, Injectable, Module, NotFoundException, Param } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { AxiosError } from 'axios';
import { catchError, map, type Observable } from 'rxjs';

import { BipsyncErrorFilter } from './bipsync-error.filter';
import { BipsyncModule } from './bipsync.module';

interface Note {
  id: string;
  title: string;
}

/** Knows Bipsync's paths, and nothing of tokens. */
@Injectable()
export class ResearchService {
  constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}

  find(id: string): Observable<Note> {
    return this.bipsync.get<Note>(`/v1/research/${encodeURIComponent(id)}`).pipe(
      map(({ data }) => data),
      catchError((error: AxiosError) => {
        if (error.response?.status === 404) throw new NotFoundException();
        throw error;
      }),
    );
  }
}

@Controller('research')
class ResearchController {
  constructor(@Inject(ResearchService) private readonly research: ResearchService) {}

  @Get(':id')
  find(@Param('id') id: string): Observable<Note> {
    return this.research.find(id);
  }
}

@Module({
  imports: [BipsyncModule],
  providers: [ResearchService, { provide: APP_FILTER, useClass: BipsyncErrorFilter }],
  controllers: [ResearchController],
})
export class ResearchModule {}
