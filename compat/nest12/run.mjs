/**
 * The plugin in NestJS 12, from ESM.
 *
 * Usage: node run.mjs. `run.sh <tarball>` installs first.
 */
import * as nestAxios from '@nestjs/axios';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as nestTesting from '@nestjs/testing';
import axios from 'axios';
import * as plugin from 'axios-bipsync-auth';
import * as pluginNest from 'axios-bipsync-auth/nestjs';
import * as testing from 'axios-bipsync-auth/testing';
import * as rxjs from 'rxjs';

import { createChecks } from '../checks.mjs';
import { tell } from '../nest-story.mjs';

const { check, finish } = createChecks();
await tell('ESM', { nestAxios, nestTesting, common, core, axios, plugin, pluginNest, testing, rxjs }, check);
finish();
