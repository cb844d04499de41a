import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { datagramsTo, openNotifier, socketAddress } from '../../../src/host/systemd/notifier.ts';
import { cleanUp, folderWith } from '../../support/executable.ts';
import { rejection } from '../../support/rejection.ts';
import { listenAt } from './listen.ts';

const silent = () => ({ error: sinon.stub(), warn: sinon.stub(), info: sinon.stub(), debug: sinon.stub() });

describe('notifications', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  for (const [title, place] of [
    ['at a path', () => join(folderWith({}), 'notify')],
    ['of an abstract name', () => `@sqs-containers-${process.pid}`],
  ] as const) {
    it(`reach a socket ${title}, in order, several assignments in one`, async () => {
      const path = place();
      const listener = await listenAt(path);
      const log = silent();
      const notifier = await openNotifier(path, log);
      notifier.send('READY=1', 'STATUS=größer');
      notifier.send('STOPPING=1');
      await notifier.flush();
      await listener.gets(/^STOPPING=1$/);
      expect(listener.received).to.deep.equal(['READY=1\nSTATUS=größer', 'STOPPING=1']);
      expect(log.warn.called).to.equal(false);
    });
  }

  it('that cannot be delivered cause one warning', async () => {
    const path = join(folderWith({}), 'nobody');
    const log = silent();
    const notifier = await openNotifier(path, log);
    notifier.send('READY=1');
    notifier.send('WATCHDOG=1');
    expect(log.warn.args).to.deep.equal([[`Cannot notify systemd: ${path}: no such file or directory`]]);
  });

  it('report why a socket cannot be used', async () => {
    const send = await datagramsTo(`/${'long'.repeat(50)}`);
    const error = await rejection(Promise.resolve().then(() => send('READY=1')));
    expect(error)
      .to.have.property('message')
      .that.matches(/: invalid argument$/);
  });

  it('use addresses with a zero byte before an abstract name', () => {
    const [low, high, ...name] = socketAddress('@n');
    expect([(low ?? 0) + (high ?? 0), ...name]).to.deep.equal([1, 0, 110]);
    expect(socketAddress('/run/n').toString('latin1', 2)).to.equal('/run/n');
  });
});
