/** A container that speaks another protocol version. Its argument is the outputs volume. */
import * as v from 'valibot';
import { WebSocketServer } from 'ws';
import { ErrorCode } from '../../src/protocol/rpc';
import { publishDescriptor } from '../../src/targets/local/descriptor';
import { containerDir } from '../../src/targets/local/paths';
import { processStartTime } from '../../src/targets/local/processIdentity';

const outputsDir = process.argv[2] ?? '';
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const { id } = v.parse(v.object({ id: v.number() }), JSON.parse(data.toString('utf8')));
    const error = { code: ErrorCode.protocolMismatch, message: 'This container speaks protocol version 0.' };
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, error }));
  });
});
server.on('listening', () => {
  const { port } = v.parse(v.object({ port: v.number() }), server.address());
  void publishDescriptor(containerDir(outputsDir), {
    containerId: 'other',
    pid: process.pid,
    pidStartTime: processStartTime(process.pid),
    port,
    token: 'token',
    version: '0.0.0',
    outputsDir,
  }).then(() => console.log('listening'));
});
