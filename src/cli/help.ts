const envFile = `  --env-file FILE  read variables from a file, such as .env; those that are set
                   already win`;

export const commandHelp = {
  check: `Usage: bipsync-auth check [--json] [--env-file FILE]

Finds out what is wrong with the credentials in the environment, and says what
to do about it. It looks at the configuration, the secret, the proxy, DNS, TLS,
the token request, the granted scopes, one API request that only reads, and the
clock. It marks what it assumes because Bipsync's docs do not state it.

  --json           print { ok, steps: [{ name, ok, detail, hint? }] }
${envFile}
  -h, --help       print this

Exit status: 0 if nothing failed, 1 if something is wrong, 2 for wrong usage.
`,
  token: `Usage: bipsync-auth token [--json] [--env-file FILE]

Prints one access token, alone, on stdout:

  curl -H "Authorization: Bearer $(npx axios-bipsync-auth token)" \\
    https://acme-api.bipsync.com/v1/research

A token opens what its scopes reach in the whole team, private notes included:
keep it out of logs.

  --json           print { accessToken, expiresAt, scopes }; expiresAt is in
                   epoch milliseconds
${envFile}
  -h, --help       print this

Exit status: 0 if a token was printed, 1 if not, 2 for wrong usage.
`,
  emulator: `Usage: bipsync-auth emulator [options]

Runs a Bipsync on 127.0.0.1 until Ctrl-C. It prints the BIPSYNC_… variables that
lead to it, and then a line for each request, without tokens and secrets. A
client id, secret and team that are set already are used. The others are made
up for this run.

  --port PORT      the port to listen on; default: a free one
  --expires-in S   how long tokens live, in seconds; default: 3600
  --fail FAULT     let requests fail: WHERE:WHAT, or WHERE:WHAT:TIMES
                     WHERE  token, or api
                     WHAT   an HTTP status, reset, or stall (no answer)
                     TIMES  how many of the next requests; default: all
                   May be given more than once; the faults follow each other.
  --json           print the variables as one line of JSON, and nothing else
${envFile}
  -h, --help       print this

For example, tokens that live a minute, after an endpoint that is down for three
requests:

  bipsync-auth emulator --expires-in 60 --fail token:503:3

Exit status: 0 after Ctrl-C or SIGTERM, 1 if the port cannot be used, 2 for
wrong usage.
`,
  demo: `Usage: bipsync-auth demo [--json] [--env-file FILE]

Shows what the plugin does next to the interceptor that many web pages show: on
a cold start, at expiry, after a revocation, with an endpoint outside the
token's scopes, with a wrong secret, with a link to another host, and when an
error is logged. It runs on an emulator and takes about ten seconds.

If a BIPSYNC_… variable is set, it gets one token from that tenant and makes one
request that only reads instead.

  --json           print what was promised and what was seen as JSON
${envFile}
  -h, --help       print this

Exit status: 0 if all is as promised, 1 if not, 2 for wrong usage.
`,
} as const;

export type CommandName = keyof typeof commandHelp;

/** commandNames is all that can follow the program's name, except for its options. */
export const commandNames: readonly string[] = [...Object.keys(commandHelp), 'help', 'version'];

export const isCommandName = (name: string): name is CommandName => Object.hasOwn(commandHelp, name);

export const programHelp = `Usage: bipsync-auth <command> [options]

  check           find out what is wrong with your credentials
  token           print one access token
  emulator        run a Bipsync on this machine
  demo            see what the plugin does
  help [command]  print this, or the command's help (as do -h and --help)
  version         print the version (as do -v and --version)

Credentials come from the environment, or from a file that --env-file names;
never from arguments:

  BIPSYNC_CLIENT              the tenant's subdomain: acme for
                              https://acme-api.bipsync.com
  BIPSYNC_BASE_URL            instead of it: a sandbox, a gateway, an emulator
  BIPSYNC_CLIENT_ID           the client's identifier
  BIPSYNC_CLIENT_SECRET       its secret
  BIPSYNC_CLIENT_SECRET_FILE  instead of it: a file that holds the secret
  BIPSYNC_TEAM_ID             the team that tokens are for
  BIPSYNC_SCOPES              the other scopes, separated by spaces

For example:

  npx axios-bipsync-auth check --env-file .env
`;
