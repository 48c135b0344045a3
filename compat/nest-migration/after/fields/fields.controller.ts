import { Body, Controller, Get, Post } from '@nestjs/common';

import { FieldsService } from './fields.service';

@Controller()
export class FieldsController {
  constructor(private readonly fields: FieldsService) {}

  @Get('fields')
  findAll() {
    return this.fields.findAll();
  }

  @Post('notes')
  async addNote(@Body() { title }: { title: string }) {
    return { id: await this.fields.addNote(title) };
  }
}
