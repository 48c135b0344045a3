/**
 * A port on which nobody listens. It lies below the range that systems hand out, so no server of another test file can be
 * there, as could happen on a port that was just closed. 1 is on fetch's list of blocked ports, 2 is not.
 */
export const CLOSED_PORT = 2;

/**
 * A host that does not exist. Part of the name is too long for DNS, so the look-up fails on this machine at once. For another
 * name that does not exist, it would wait for a name server, and now and then for longer than a test may take.
 */
export const NO_SUCH_HOST = `${'no-such-host'.repeat(6)}.bipsync.invalid`;
