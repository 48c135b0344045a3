import { HttpService } from '@nestjs/axios';
import { BadGatewayException, Injectable, NotFoundException } from '@nestjs/common';
import { AxiosError } from 'axios';
import { catchError, firstValueFrom, map } from 'rxjs';

export interface Field {
  id: string;
  name: string;
}

@Injectable()
export class FieldsService {
  constructor(private readonly http: HttpService) {}

  findAll(): Promise<Field[]> {
    return firstValueFrom(
      this.http.get<{ results: Field[] }>('/v1/field', { params: { limit: 50 } }).pipe(
        map(({ data }) => data.results),
        catchError((error: AxiosError) => {
          if (error.response?.status === 404) throw new NotFoundException();
          throw new BadGatewayException('Bipsync did not answer');
        }),
      ),
    );
  }

  async addNote(title: string): Promise<string> {
    const { data } = await firstValueFrom(
      this.http.post<{ id: string }>('/v2/research/note', { title, user: 'analyst-1' }),
    );
    return data.id;
  }
}
