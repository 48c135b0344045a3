export const commandHelp = {
  check: `Usage: bipsync-auth check [--json]

Finds out what is wrong with the credentials in the environment, and says what to do about it:
configuration, secret, proxy, DNS, TLS, token request, scopes, one API request that only reads, and
the clock.

  --json      print { ok, steps: [{ name, ok, detail, hint? }] }
  -h, --help  print this

Exit status: 0 all in order, 1 something is wrong, 2 wrong usage.
`,
  token: `Usage: bipsync-auth token [--json]

Prints one access token, alone, on stdout:

  curl -H "Authorization: Bearer $(npx axios-bipsync-auth token)" \\
    https://acme-api.bipsync.com/v1/research

A token opens what its scopes reach in the whole team, private notes included: keep it out of logs.

  --json      print { accessToken, expiresAt (epoch milliseconds), scopes }
  -h, --help  print this

Exit status: 0 printed, 1 no token to be had, 2 wrong usage.
`,
  emulator: `Usage: bipsync-auth emulator [--port <number>] [--json]

Runs a Bipsync on 127.0.0.1 until Ctrl-C, and prints the BIPSYNC_… variables that lead to it. Client
id, secret and team that are set already it takes as they are; others it makes up for this run.

  --port      the port to listen on; default: a free one
  --json      print the variables as one line of JSON
  -h, --help  print this

Exit status: 0 ended by Ctrl-C or SIGTERM, 1 the port cannot be had, 2 wrong usage.
`,
  demo: `Usage: bipsync-auth demo [--json]

Shows what the plugin does about a cold burst, expiry and revocation under load, an endpoint outside
the token's scopes and a wrong secret, on an emulator and in about ten seconds. If a BIPSYNC_…
variable is set, it gets one token and makes one request that only reads with that tenant instead.

  --json      print what was promised and seen as JSON
  -h, --help  print this

Exit status: 0 all as promised, 1 not so, 2 wrong usage.
`,
} as const;

export type CommandName = keyof typeof commandHelp;

/** commandNames is all that can follow the program's name, but for its options. */
export const commandNames: readonly string[] = [...Object.keys(commandHelp), 'help', 'version'];

export const isCommandName = (name: string): name is CommandName => Object.hasOwn(commandHelp, name);

export const programHelp = `Usage: bipsync-auth <command> [options]

  check           find out what is wrong with your credentials
  token           print one access token
  emulator        run a Bipsync on this machine
  demo            see what the plugin does
  help [command]  print this, or what the command does; as do -h and --help
  version         print the version; as do -v and --version

Credentials come from the environment, never from arguments:

  BIPSYNC_CLIENT         the tenant's subdomain: acme for https://acme-api.bipsync.com
  BIPSYNC_BASE_URL       instead of it: a sandbox, a gateway, an emulator
  BIPSYNC_CLIENT_ID      the client's identifier
  BIPSYNC_CLIENT_SECRET  its secret
  BIPSYNC_TEAM_ID        the team that tokens are for
  BIPSYNC_SCOPES         the other scopes, separated by spaces

From a .env file (NODE_OPTIONS cannot hold --env-file):

  node --env-file=.env node_modules/axios-bipsync-auth/dist/cli.cjs check
`;
