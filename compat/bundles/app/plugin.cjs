module.exports = require('axios-bipsync-auth');
