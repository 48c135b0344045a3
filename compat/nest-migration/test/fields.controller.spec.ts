import { Test } from '@nestjs/testing';
import { FieldsController } from 'src/fields/fields.controller';
import { FieldsService } from 'src/fields/fields.service';

describe('FieldsController', () => {
  let controller: FieldsController;
  const service = { findAll: jest.fn(), addNote: jest.fn() };

  beforeEach(async () => {
    const module = await Test.createTestingModule({
      controllers: [FieldsController],
      providers: [{ provide: FieldsService, useValue: service }],
    }).compile();
    controller = module.get(FieldsController);
  });

  it('lists the fields', async () => {
    service.findAll.mockResolvedValue([{ id: 'field-1', name: 'Rating' }]);
    expect(await controller.findAll()).toEqual([{ id: 'field-1', name: 'Rating' }]);
  });

  it('returns the id of a new note', async () => {
    service.addNote.mockResolvedValue('note-1');
    expect(await controller.addNote({ title: 'A note' })).toEqual({ id: 'note-1' });
    expect(service.addNote).toHaveBeenCalledWith('A note');
  });
});
