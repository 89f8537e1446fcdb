/** What ssh runs to ask its user: passes the question on to who started ssh, and prints the answer. */
import { connect } from 'node:net';
import { parse } from '../../protocol/schema';
import { ASK_VARIABLE, answerSchema } from './askpass';

async function main(): Promise<void> {
  const prompt = process.argv[2] ?? '';
  const isQuestion = process.env.SSH_ASKPASS_PROMPT === 'confirm' || prompt.includes('(yes/no');
  const socket = connect(process.env[ASK_VARIABLE] ?? '');
  socket.write(`${JSON.stringify({ prompt, kind: isQuestion ? 'confirm' : 'secret' })}\n`);
  let line = '';
  for await (const piece of socket.setEncoding('utf8')) {
    line += String(piece);
  }
  const { text } = parse(answerSchema, JSON.parse(line), 'answer');
  if (text === null) {
    process.exit(1);
  }
  process.stdout.write(`${text}\n`);
}

main().catch(() => process.exit(1));
