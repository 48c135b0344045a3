/**
 * A port on which nobody listens. It lies below the range that systems hand out, so no server of another test file can be
 * there, as could happen on a port that was just closed. 1 is on fetch's list of blocked ports, 2 is not.
 */
export const CLOSED_PORT = 2;
