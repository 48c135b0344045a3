import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';

import { BipsyncModule } from './bipsync/bipsync.module';
import { FieldsController } from './fields/fields.controller';
import { FieldsService } from './fields/fields.service';

@Module({
  imports: [ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true }), BipsyncModule],
  controllers: [FieldsController],
  providers: [FieldsService],
})
export class AppModule {}
