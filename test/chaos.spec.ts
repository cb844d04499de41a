// A short chaos run with each available broker. `npm run chaos` does the same for longer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { storyOf, summaryOf } from '../chaos/report.ts';
import { runTrial } from '../chaos/trial.ts';
import { BROKERS, whyNot } from '../harness/brokers.ts';

/** With this seed, processes are killed, drained and stopped, the clock jumps, and each broker has its own faults. */
const SEED = 13321;

describe('two containers with random faults', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const broker of BROKERS) {
    it(`lose no message on ${broker}, keep the order of groups, and repeat only messages they held`, async function () {
      if (whyNot(broker)) this.skip();
      const trial = await runTrial({
        subject: 'sqs-containers',
        broker,
        seed: SEED,
        seconds: 3,
        processes: 2,
        visibilityTimeout: 2,
        folder,
      });
      const text = summaryOf(trial);
      expect(trial.history.incidents, text).not.to.deep.equal([]);
      expect(trial.handled, text).to.be.above(100);
      expect(trial.good, trial.good ? text : `${text}\n${storyOf(trial)}`).to.equal(true);
    });
  }
});
