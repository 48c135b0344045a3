const axios = require('axios');
const plugin = require('axios-bipsync-auth');

const story = require('./story.cjs');

void story(axios, plugin);
