import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { daemonLog } from '../../src/host/daemon.ts';

const CONTAINER = '[container]\nworker = ./worker.ts:worker\nqueue = jobs\n';

function logOf(lines: string): string | undefined {
  return daemonLog(parseConfig(CONTAINER + lines, '/srv/worker.ini', {}).loggers, 'sequential');
}

describe('the log of a daemon', () => {
  it("is the file of the root logger, or of the container's logger", () => {
    expect(logOf('[logger]\npath = all.log\n')).to.equal('/srv/all.log');
    expect(logOf('[logger.sequential]\npath = own.log\n')).to.equal('/srv/own.log');
    expect(logOf('[logger]\npath = all.log\n[logger.sequential]\npath = own.log\n')).to.equal('/srv/own.log');
    expect(logOf('[logger]\npath = all.log\n[logger.sequential]\npath = STDERR\n')).to.equal('/srv/all.log');
  });

  it("is not the terminal, nor another logger's file", () => {
    expect(logOf('')).to.equal(undefined);
    expect(logOf('[logger]\npath = STDOUT\n')).to.equal(undefined);
    expect(logOf('[logger.messages]\npath = messages.log\n')).to.equal(undefined);
  });
});
