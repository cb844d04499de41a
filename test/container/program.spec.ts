import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { loggerName, needsProcesses, processCount, settingsOf } from '../../src/container/program.ts';

function configOf(lines: string): Config {
  const text = `[container]\nworker = ./worker.ts:worker\nqueue = jobs\n${lines}`;
  return parseConfig(text, '/srv/worker.ini', {});
}

describe('the programs that run a container', () => {
  it('handle one message at a time in one process, or as many as the ini file says', () => {
    const config = configOf('concurrency = 7\nprocesses = 3\npoll = 5\n');
    expect(settingsOf('sqs-concurrent', config)).to.equal(config);
    const { container } = settingsOf('sqs-sequential', config);
    expect(container).to.deep.equal({ ...config.container, concurrency: 1, processes: 1 });
  });

  it('have their own loggers', () => {
    expect(loggerName('sqs-sequential')).to.equal('sequential');
    expect(loggerName('sqs-concurrent')).to.equal('concurrent');
  });

  it('run one process per CPU with processes = auto', () => {
    expect(processCount(configOf('processes = auto\n'))).to.equal(availableParallelism());
    expect(processCount(configOf('processes = 3\n'))).to.equal(3);
  });

  it('need a parent to run several processes, or to replace those that use too much memory', () => {
    expect(needsProcesses(configOf(''))).to.equal(false);
    expect(needsProcesses(configOf('processes = 2\n'))).to.equal(true);
    expect(needsProcesses(configOf('max_memory = 512M\n'))).to.equal(true);
    expect(needsProcesses(settingsOf('sqs-sequential', configOf('processes = 2\n')))).to.equal(false);
  });
});
