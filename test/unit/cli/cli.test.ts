import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSONRPCErrorException } from 'json-rpc-2.0';
import { runCommandLine } from '../../../src/cli/cli';
import { explain } from '../../../src/cli/errors';
import { reached } from '../../../src/cli/workplace';
import { ErrorCode } from '../../../src/protocol/rpc';
import { ContainerStartError } from '../../../src/targets/target';
import { contextFor, recordingTerminal } from './recordingTerminal';

describe('command line', () => {
  let cwd = '';
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'tiny-cats-cli-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { terminal, stdout, stderr } = recordingTerminal();
    const code = await runCommandLine(args, contextFor(terminal, cwd));
    return { code, stdout: stdout(), stderr: stderr() };
  }

  it('shows help and version on stdout', async () => {
    for (const args of [
      ['help'],
      ['--help'],
      ['-h'],
      ['help', 'train'],
      ['train', '--help'],
      ['inspect', '-h'],
    ]) {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 0, args.join(' '));
      assert.match(stdout, /^Usage: tiny-cats /);
      assert.equal(stderr, '');
    }
    assert.deepEqual(await run('--version'), { code: 0, stdout: '1.2.3\n', stderr: '' });
  });

  it('ends with 2 and names what is wrong', async () => {
    const wrong: [args: string[], message: RegExp][] = [
      [[], /^Usage/],
      [['tarin'], /There is no command "tarin"/],
      [['help', 'tarin'], /There is no command "tarin"/],
      [['train', '--batch-size', '0'], /--batch-size: expected .*, got "0"/],
      [['train', '--backbone', 'vgg'], /--backbone: expected one of/],
      [['install-engine', 'abacus'], /no engine "abacus"/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, message);
      assert.equal(stdout, '');
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('ends a refused training with a result for programs', async () => {
    const { code, stdout } = await run('train', '--epochs', 'x', '--json');
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(stdout), {
      status: 'failed',
      output: null,
      val_acc: null,
      start: null,
      time_to_first_step_ms: null,
      error: {
        code: 'parameters',
        message: '--epochs: expected a whole number of at least 1 and at most 10000, got "x"',
      },
    });
  });

  it('is cold, and makes no folders, where nothing was ever trained', async () => {
    assert.match((await run('status')).stdout, /^State +cold\n/);
    assert.deepEqual(await run('status', '--json'), { code: 0, stdout: '{"state":"cold"}\n', stderr: '' });
    assert.deepEqual(await run('runs', '--json'), { code: 0, stdout: '[]\n', stderr: '' });
    assert.match((await run('runs')).stdout, /no run/);
    assert.equal((await run('cool')).code, 0);
    assert.equal((await run('stop')).code, 1);
    assert.match((await run('rerun')).stderr, /no run .*yet/);
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('says which checkpoint cannot be inspected', async () => {
    const missing = await run('inspect', '20250102-030405-abcdef');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no file .*20250102-030405-abcdef/);
    writeFileSync(join(cwd, 'empty.safetensors'), '');
    const empty = await run('inspect', 'empty.safetensors');
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /empty\.safetensors: .*empty file/);
  });

  it('says that the outputs volume cannot be made', async () => {
    writeFileSync(join(cwd, 'outputs'), '');
    const { code, stderr } = await run('train');
    assert.equal(code, 1);
    assert.match(stderr, /outputs volume .* cannot be written .*--outputs-dir/);
    assert.equal(existsSync(join(cwd, '.tiny-cats')), false);
  });

  it('shows a stack only when it is asked to', async () => {
    mkdirSync(join(cwd, 'outputs'));
    const { terminal, stderr } = recordingTerminal();
    await runCommandLine(['train', '--lr', '0'], contextFor(terminal, cwd, { TINY_CATS_DEBUG: '1' }));
    assert.match(stderr(), /\n {4}at /);
  });
});

describe('errors of the command line', () => {
  it('says what to do about a container of another version', () => {
    const { code, exitCode, message } = explain(
      new JSONRPCErrorException('It speaks version 7.', ErrorCode.protocolMismatch),
    );
    assert.equal(code, 'protocol');
    assert.equal(exitCode, 1);
    assert.match(message, /^It speaks version 7\.\n.*"tiny-cats cool"/);
  });

  it('says what to do about a container that does not answer', async () => {
    await assert.rejects(reached(Promise.reject(new Error('Opening handshake has timed out'))), {
      message: /does not answer \(Opening handshake has timed out\).*"tiny-cats cool"/,
    });
    const own = new JSONRPCErrorException('It trains already.', ErrorCode.busy);
    await assert.rejects(reached(Promise.reject(own)), own);
  });

  it('gives programs a code for what went wrong', () => {
    assert.equal(explain(new JSONRPCErrorException('', ErrorCode.busy)).code, 'busy');
    assert.equal(explain(new JSONRPCErrorException('', ErrorCode.volume)).code, 'volume');
    assert.equal(explain(new ContainerStartError('')).code, 'container_start');
    assert.equal(explain(new Error('')).code, 'internal');
  });
});
