import axios from 'axios';

import plugin from './plugin.cjs';
import story from './story.cjs';

void story(axios, plugin);
