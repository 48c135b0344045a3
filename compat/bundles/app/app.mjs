import axios from 'axios';
import * as plugin from 'axios-bipsync-auth';

import story from './story.cjs';

void story(axios, plugin);
