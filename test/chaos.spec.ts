// A short run of chaos with each broker that is there: `npm run chaos` does the same for as long as one likes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { storyOf, summaryOf } from '../chaos/report.ts';
import { runTrial } from '../chaos/trial.ts';
import { BROKERS, whyNot } from '../harness/brokers.ts';

/** By its plan processes are killed, drained and stopped, the clock jumps, and each broker has faults of its own. */
const SEED = 13321;

describe('two containers on which faults come at random', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const broker of BROKERS) {
    it(`lose nothing on ${broker}, keep the order of groups, and repeat only what was held`, async function () {
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
