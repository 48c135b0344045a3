const envFile = `  --env-file FILE  read variables from a file, for example .env. Variables that
                   are already set keep their values. If the file is missing,
                   some versions of Node end with status 9: ".env: not found".`;

export const commandHelp = {
  check: `Usage: npx axios-bipsync-auth check [--json] [--env-file FILE]

Finds out what is wrong with the credentials in the environment, and prints what
to do. It checks the configuration, the secret, the proxy, DNS, TLS, the
token request, the granted scopes, one API request that only reads data, and the
clock. If Bipsync's docs do not state something, it is marked as assumed.

  --json           print { ok, steps: [{ name, ok, detail, hint? }] }
${envFile}
  -h, --help       print this help

Exit status: 0 if nothing failed, 1 if a check failed, 2 for wrong usage.
`,
  token: `Usage: npx axios-bipsync-auth token [--json] [--env-file FILE]

Prints one access token on stdout, and nothing else:

  curl -H "Authorization: Bearer $(npx axios-bipsync-auth token)" \\
    https://acme-api.bipsync.com/v1/research

Within its scopes, a token gives access to everything in the team, including
private notes. Keep it out of logs.

  --json           print { accessToken, expiresAt, scopes }; expiresAt is in
                   epoch milliseconds
${envFile}
  -h, --help       print this help

Exit status: 0 if a token was printed, 1 if not, 2 for wrong usage.
`,
  emulator: `Usage: npx axios-bipsync-auth emulator [options]

Runs an emulated Bipsync on 127.0.0.1 until Ctrl-C. It prints the BIPSYNC_…
variables to connect to it, and then one line for each request, without tokens
and secrets. A client id, secret or team that is already set (the secret also
in BIPSYNC_CLIENT_SECRET_FILE) is used, and not printed. Otherwise, the emulator
creates a random one for this run.

  --port PORT      the port to listen on; default: a free port
  --expires-in S   lifetime of the tokens, in seconds; default: 3600
  --fail FAULT     make requests fail: WHERE:WHAT, or WHERE:WHAT:TIMES
                     WHERE  token, or api
                     WHAT   an HTTP status, reset, or stall (no answer)
                     TIMES  how many requests fail; default: all
                   You can repeat this option. The faults are used in order.
  --json           print only the variables, as one line of JSON
${envFile}
  -h, --help       print this help

For example, the first three token requests fail, and tokens expire after a
minute:

  npx axios-bipsync-auth emulator --expires-in 60 --fail token:503:3

In a script, start node_modules/.bin/axios-bipsync-auth, because npx does not
pass SIGTERM on.

Exit status: 0 after Ctrl-C or SIGTERM, 1 if the port cannot be used, 2 for
wrong usage.
`,
  demo: `Usage: npx axios-bipsync-auth demo [--json] [--env-file FILE]

Compares the plugin with the interceptor that many web pages show: on a cold
start, at expiry, after a revocation, with an endpoint outside the token's
scopes, with a wrong secret, with a link to another host, and when an error is
logged. The demo uses an emulator and takes about ten seconds.

If a BIPSYNC_… variable is set, the demo does not use the emulator. It gets one
token from the tenant, and sends one request that only reads data.

  --json           print the promised and the measured numbers as JSON
${envFile}
  -h, --help       print this help

Exit status: 0 if the plugin kept every promise, 1 if not, 2 for wrong usage.
With a tenant, 0 means that no step failed.
`,
} as const;

export type CommandName = keyof typeof commandHelp;

/** commandNames is all that can follow the program's name, except for its options. */
export const commandNames: readonly string[] = [...Object.keys(commandHelp), 'help', 'version'];

export const isCommandName = (name: string): name is CommandName => Object.hasOwn(commandHelp, name);

export const programHelp = `Usage: npx axios-bipsync-auth <command> [options]

  check           find out what is wrong with your credentials
  token           print an access token
  emulator        run an emulated Bipsync on this machine
  demo            see what the plugin does
  help [command]  print this help, or the command's help (also -h, --help)
  version         print the version (also -v, --version)

Credentials come from the environment or from the file in --env-file, never
from arguments:

  BIPSYNC_CLIENT              the tenant's subdomain: acme for
                              https://acme-api.bipsync.com
  BIPSYNC_BASE_URL            instead of BIPSYNC_CLIENT: the URL of a sandbox, a
                              gateway or an emulator
  BIPSYNC_CLIENT_ID           the client's identifier
  BIPSYNC_CLIENT_SECRET       the client's secret; in .env in single quotes
  BIPSYNC_CLIENT_SECRET_FILE  instead of BIPSYNC_CLIENT_SECRET: the path of a
                              file that contains the secret
  BIPSYNC_TEAM_ID             the id of your team
  BIPSYNC_SCOPES              the scopes, with spaces between them; team_… is
                              added

For example:

  npx axios-bipsync-auth check --env-file .env
`;
