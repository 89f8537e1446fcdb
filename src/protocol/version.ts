/**
 * Version of the contract between container and clients. It grows by one whenever a message changes in a way
 * that an older peer would misread; the handshake refuses any other version.
 */
export const PROTOCOL_VERSION = 3;
