import { HttpService } from '@nestjs/axios';
import { BadGatewayException, NotFoundException } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AxiosError, AxiosResponse } from 'axios';
import { of, throwError } from 'rxjs';
import { FieldsService } from 'src/fields/fields.service';

describe('FieldsService', () => {
  let service: FieldsService;
  let http: HttpService;

  const fields = [{ id: 'field-1', name: 'Rating' }];
  const answer = (data: unknown) =>
    of({ data, status: 200, statusText: 'OK', headers: {}, config: {} } as AxiosResponse);

  beforeEach(async () => {
    const module = await Test.createTestingModule({
      providers: [FieldsService, { provide: HttpService, useValue: { get: jest.fn(), post: jest.fn() } }],
    }).compile();
    service = module.get(FieldsService);
    http = module.get(HttpService);
  });

  it('returns the fields', async () => {
    jest.spyOn(http, 'get').mockReturnValue(answer({ total: 1, offset: 0, limit: 50, results: fields }));
    expect(await service.findAll()).toEqual(fields);
    expect(http.get).toHaveBeenCalledTimes(1);
    expect(http.get).toHaveBeenCalledWith('/v1/field', { params: { limit: 50 } });
  });

  it('adds a note', async () => {
    jest.spyOn(http, 'post').mockReturnValue(answer({ id: 'note-1' }));
    expect(await service.addNote('A note')).toBe('note-1');
    expect(http.post).toHaveBeenCalledWith('/v2/research/note', { title: 'A note', user: 'analyst-1' });
  });

  it('reports what Bipsync does not have', async () => {
    const response = { status: 404, data: {} } as AxiosResponse;
    const error = new AxiosError('Not Found', AxiosError.ERR_BAD_REQUEST, undefined, undefined, response);
    jest.spyOn(http, 'get').mockReturnValue(throwError(() => error));
    await expect(service.findAll()).rejects.toThrow(NotFoundException);
  });

  it('reports that Bipsync did not answer', async () => {
    jest.spyOn(http, 'get').mockReturnValue(throwError(() => new AxiosError('timeout', 'ECONNABORTED')));
    await expect(service.findAll()).rejects.toThrow(BadGatewayException);
  });
});
