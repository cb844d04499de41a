import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CrashFile, openCrashFile } from '../../../src/host/crashes/crash-file.ts';
import { processStartTime } from '../../../src/host/process-start-time.ts';
import { MemoryFiles } from '../../support/memory-files.ts';
import { VirtualMachine } from '../../support/virtual-machine.ts';

describe('a crash record', () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'crash-file-')), 'records');
  });

  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  /** Opens the record like the next process with the same ID; the previous one has crashed if its record was not closed. */
  function open(container = '/etc/worker.ini'): CrashFile {
    return openCrashFile({ folder, container, slots: 2 });
  }

  function runningFile(): string {
    return join(folder, readdirSync(folder).find((name) => name.includes('.running.'))!);
  }

  it('counts a crash for each message that was running when a process crashed', () => {
    const ended = open();
    for (const id of ['a', 'b']) ended.started('orders', id);
    ended.ended('orders', 'a');
    for (const id of ['c', 'd', 'e']) ended.started('orders', id);
    ended.ended('orders', 'd');

    const next = open();
    const counts = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => next.crashes('orders', id));
    expect(counts).to.deep.equal([0, 1, 1, 0, 1, 0]);
  });

  it('keeps counting from process to process, until the message is forgotten', () => {
    for (let crashes = 0; crashes < 4; crashes += 1) {
      const record = open();
      expect(record.crashes('orders', 'a')).to.equal(crashes);
      record.started('orders', 'a');
    }
    open().forget('orders', 'a');
    expect(open().crashes('orders', 'a')).to.equal(0);
  });

  it('keeps the counts when a process exits cleanly', () => {
    open().started('orders', 'a');
    const record = open();
    record.started('orders', 'b');
    record.close();
    expect(open().crashes('orders', 'a')).to.equal(1);
    expect(open().crashes('orders', 'b')).to.equal(0);
  });

  it('tells containers, queues and messages apart, whatever their names', () => {
    const ids = ['a', 'a\nb', '../../a', '🙂', 'é'.repeat(100), '\ud800', ''];
    const ended = open();
    for (const id of ids) ended.started('orders', id);

    expect(open('/etc/other.ini').crashes('orders', 'a')).to.equal(0);
    const next = open();
    for (const id of ids) {
      expect(next.crashes('orders', id), id).to.equal(1);
      expect(next.crashes('order', `s${id}`), id).to.equal(0);
    }
  });

  it('ignores torn or foreign lines in a file', () => {
    open().started('orders', 'a');
    const text = readFileSync(runningFile(), 'latin1');
    writeFileSync(
      runningFile(),
      `${text.slice(0, 20)}\n\0\0 ☃\n${'x'.repeat(99)}\n${text}${text.slice(0, 20)}`,
    );
    open();
    expect(readdirSync(folder)).to.have.length(2);
    expect(open().crashes('orders', 'a')).to.equal(1);
  });

  it('takes over from a process whose ID was reused, but not from a living one', () => {
    open().started('orders', 'a');
    const name = runningFile().replace(/\.running\..*/, `.running.${process.ppid}.`);
    renameSync(runningFile(), name + processStartTime(process.ppid));
    expect(open().crashes('orders', 'a')).to.equal(0);
    renameSync(name + processStartTime(process.ppid), `${name}12345`);
    expect(open().crashes('orders', 'a')).to.equal(1);
  });

  it('is readable and writable by its user only', () => {
    open().started('orders', 'a');
    open();
    const modes = ['.', ...readdirSync(folder)].map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(modes).to.deep.equal([0o700, 0o600, 0o600]);
  });

  it('writes to no other file when a worker ends after the record was closed', () => {
    const record = open();
    record.started('orders', 'a');
    record.close();
    const other = join(folder, 'other');
    const reused = openSync(other, 'w');
    record.ended('orders', 'a');
    record.started('orders', 'b');
    record.close();
    expect(readFileSync(other, 'utf8')).to.equal('');
    closeSync(reused);
  });

  it('does not throw when its folder is gone', () => {
    const record = open();
    rmSync(folder, { recursive: true });
    record.started('orders', 'a');
    record.ended('orders', 'a');
    record.forget('orders', 'a');
    expect(record.crashes('orders', 'a')).to.equal(0);
    record.close();
  });

  it('reports a folder that cannot be used', () => {
    writeFileSync(folder, '');
    expect(() => open())
      .to.throw(Error, `The crash record cannot be kept in ${folder}: EEXIST`)
      .with.property('cause');
  });
});

describe('a crash record in memory, with simulated processes', () => {
  let machine: VirtualMachine;
  let files: MemoryFiles;
  let living: Map<number, string>;

  beforeEach(() => {
    machine = new VirtualMachine();
    files = new MemoryFiles(machine);
    living = new Map();
  });

  /** Opens the record like a process with this ID that starts now. */
  function open(processId: number): CrashFile {
    living.set(processId, String(machine.wallClock()));
    return openCrashFile({
      ...{ folder: '/records', container: '/etc/worker.ini', slots: 2 },
      ...{ machine, files, processId, startTimeOf: (id) => living.get(id) },
    });
  }

  it('counts the messages of a process that crashed, but not of a living one', () => {
    const [crashes, lives] = [open(1), open(2)];
    crashes.started('orders', 'a');
    crashes.started('orders', 'b');
    crashes.ended('orders', 'a');
    lives.started('orders', 'c');
    living.delete(1);
    const next = open(3);
    expect(['a', 'b', 'c'].map((id) => next.crashes('orders', id))).to.deep.equal([0, 1, 0]);
    next.forget('orders', 'b');
    expect([lives, next].map((record) => record.crashes('orders', 'b'))).to.deep.equal([0, 0]);
  });

  it('takes over from a process whose ID was reused, once', async () => {
    open(1).started('orders', 'a');
    await machine.advance(1_000);
    living.set(1, 'later');
    expect([open(2), open(3)].map((record) => record.crashes('orders', 'a'))).to.deep.equal([1, 1]);
  });

  it('forgets a message 14 days after its last crash', async () => {
    open(1).started('orders', 'a');
    expect(open(1).crashes('orders', 'a')).to.equal(1);
    await machine.advance(14 * 24 * 60 * 60 * 1000);
    expect(open(1).crashes('orders', 'a')).to.equal(1);
    await machine.advance(1);
    expect(open(1).crashes('orders', 'a')).to.equal(0);
  });

  it('keeps its counts and does not throw while the disk is full', () => {
    open(1).started('orders', 'a');
    const record = open(1);
    files.full = true;
    record.started('orders', 'b');
    record.started('orders', 'c');
    record.ended('orders', 'b');
    expect(['a', 'b', 'c'].map((id) => record.crashes('orders', id))).to.deep.equal([1, 0, 0]);
    record.forget('orders', 'a');
    expect(record.crashes('orders', 'a')).to.equal(0);
    record.close();
  });

  it('cannot be opened while the disk is full', () => {
    files.full = true;
    expect(() => open(1)).to.throw('The crash record cannot be kept in /records: ENOSPC');
    files.full = false;
    expect(open(1).crashes('orders', 'a')).to.equal(0);
  });
});
