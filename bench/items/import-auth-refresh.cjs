require('axios-auth-refresh');
