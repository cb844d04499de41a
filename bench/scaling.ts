/**
 * Many containers on one queue, simulated on a fake clock: the cost of messages, how long they wait, how they are shared,
 * and what happens in bursts, deploys and outages. Every run gives the same numbers, except for outages, whose pauses are
 * random.
 * Run: npm run bench -- scaling
 */
import { join } from 'node:path';
import { inOwnProcess } from '../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { monthlyCost, SECONDS_A_MONTH } from '../src/observe/cost/cost.ts';
import type { Steady } from './scaling/scenarios.ts';
import { LATENCY_MS } from './scaling/simulation.ts';

type Scenarios = typeof import('./scaling/scenarios.ts');

function simulate<Name extends keyof Scenarios>(
  name: Name,
  setup: Parameters<Scenarios[Name]>[0],
): Promise<Awaited<ReturnType<Scenarios[Name]>>> {
  return inOwnProcess(join(import.meta.dirname, 'scaling/scenarios.ts'), name, setup);
}

export async function bench(): Promise<Finding[]> {
  return [
    ...(await sameLoad()),
    ...(await growingLoad()),
    ...(await shapes()),
    ...(await bursts()),
    ...(await deploys()),
    ...(await outages()),
  ];
}

const STEADY_HEAD = ['API calls per message', 'per month', 'wait, median', '99 %', 'held ready', 'busiest'];

function steadyCells(measured: Steady): string[] {
  const { requestsPerMessage, requestsPerSecond, medianWaitMs, slowWaitMs, mostWaiting, busiest } = measured;
  const dollars = monthlyCost({ standard: requestsPerSecond * SECONDS_A_MONTH, fifo: 0 });
  return [
    show(requestsPerMessage),
    `$${dollars.toFixed(0)}`,
    show(medianWaitMs, 'ms'),
    show(slowWaitMs, 'ms'),
    String(mostWaiting),
    show(busiest, '×'),
  ];
}

async function sameLoad(): Promise<Finding[]> {
  const load = { messagesPerSecond: 1000, handlingMs: 100, seconds: 20 };
  const rows: string[][] = [];
  const findings: Finding[] = [];
  for (const settleDelay of [200, 2000]) {
    for (const containers of settleDelay === 200 ? [9, 12, 20, 50, 100, 200, 500, 1000] : [20, 100, 1000]) {
      const measured = await simulate('steady', {
        ...load,
        containers,
        settings: { concurrency: 10, settleDelay },
      });
      const busy = (load.messagesPerSecond * load.handlingMs) / (containers * 10_000);
      rows.push([
        String(containers),
        `${settleDelay} ms`,
        show(Math.min(100, busy * 100), '%'),
        ...steadyCells(measured),
      ]);
      if (containers === 9)
        findings.push(
          atMost('scaling, API calls per message with a backlog', measured.requestsPerMessage, 0.3),
        );
      if (containers === 100 && settleDelay === 200)
        findings.push(
          atMost('scaling, the busiest of 100 containers vs. their average', measured.busiest, 1.2, '×'),
        );
    }
  }
  printTable(
    `The same load over more containers: 1000 messages/s of 100 ms, concurrency = 10, ${LATENCY_MS} ms per API call`,
    ['containers', 'settle_delay', 'slots busy', ...STEADY_HEAD],
    rows,
  );
  return findings;
}

async function growingLoad(): Promise<Finding[]> {
  const rows: string[][] = [];
  for (const containers of [1, 10, 100, 1000]) {
    const messagesPerSecond = containers * 8;
    const measured = await simulate('steady', {
      containers,
      messagesPerSecond,
      handlingMs: 1000,
      seconds: 20,
      settings: { concurrency: 10 },
    });
    rows.push([String(containers), show(messagesPerSecond, '/s'), ...steadyCells(measured)]);
  }
  printTable(
    'As many containers as the load needs: messages of 1 s, concurrency = 10, 80 % of the slots busy',
    ['containers', 'messages', ...STEADY_HEAD],
    rows,
  );
  return [];
}

async function shapes(): Promise<Finding[]> {
  const rows: string[][] = [];
  for (const [containers, slots, prefetch] of [
    [1000, 1, 'auto'],
    [1000, 1, 0],
    [100, 10, 'auto'],
    [100, 10, 0],
    [10, 100, 'auto'],
  ] as const) {
    const measured = await simulate('steady', {
      containers,
      messagesPerSecond: 800,
      handlingMs: 1000,
      seconds: 20,
      settings: { concurrency: slots, prefetch },
    });
    rows.push([`${containers} × ${slots}`, String(prefetch), ...steadyCells(measured)]);
  }
  printTable(
    'The same total concurrency of 1000: 800 messages/s of 1 s',
    ['containers × concurrency', 'prefetch', ...STEADY_HEAD],
    rows,
  );
  return [];
}

async function bursts(): Promise<Finding[]> {
  const works = {
    'of 10 s': { messages: 300, handlingMs: 10_000 },
    'of 0.1 s, every 20th 60 s': { messages: 3000, handlingMs: 100, slowOneOf: 20, slowMs: 60_000 },
  };
  const rows: string[][] = [];
  for (const [title, work] of Object.entries(works)) {
    for (const prefetch of ['auto', 0, 1, 10] as const) {
      const { medianWaitMs, slowWaitMs, seconds, mostWaiting } = await simulate('burst', {
        ...work,
        containers: 100,
        settings: { concurrency: 1, prefetch },
      });
      rows.push([
        `${work.messages} ${title}`,
        String(prefetch),
        show(medianWaitMs / 1000, 's'),
        show(slowWaitMs / 1000, 's'),
        show(seconds, 's'),
        String(mostWaiting),
      ]);
    }
  }
  printTable(
    'A burst for 100 sequential containers',
    ['messages', 'prefetch', 'wait, median', '99 %', 'all done after', 'held ready'],
    rows,
  );
  return [];
}

async function deploys(): Promise<Finding[]> {
  const short = { messagesPerSecond: 350, handlingMs: 2000 };
  const long = { messagesPerSecond: 10, handlingMs: 60_000 };
  const setups = {
    'SIGTERM, messages of 2 s': { ...short, end: 'stop', settings: {} },
    'SIGTERM, messages of 60 s': { ...long, end: 'stop', settings: {} },
    'the same, drain_timeout = 5m': { ...long, end: 'stop', settings: { drainTimeout: 300 } },
    'SIGKILL, visibility_timeout = 30s': { ...short, end: 'kill', settings: {} },
    'SIGKILL, visibility_timeout = 5m': { ...short, end: 'kill', settings: { visibilityTimeout: 300 } },
  } as const;
  const rows: string[][] = [];
  const findings: Finding[] = [];
  let allLost = 0;
  for (const [title, { settings, ...setup }] of Object.entries(setups)) {
    const measured = await simulate('deploy', {
      ...setup,
      containers: 100,
      settings: { concurrency: 10, ...settings },
    });
    const { repeated, medianWaitMs, slowWaitMs, longestWaitMs, lost } = measured;
    rows.push([
      title,
      String(repeated),
      show(medianWaitMs, 'ms'),
      show(slowWaitMs / 1000, 's'),
      show(longestWaitMs / 1000, 's'),
      String(lost),
    ]);
    allLost += lost;
    if (title === 'SIGTERM, messages of 2 s')
      findings.push(atMost('scaling, messages started twice in a deploy', repeated, 0));
  }
  printTable(
    'A deploy: 100 containers of 10 slots, 10 of them replaced every 5 s, 60 to 70 % of the slots busy',
    ['ended by', 'started twice', 'wait, median', '99 %', 'longest', 'lost'],
    rows,
  );
  return [...findings, atMost('scaling, messages lost in all deploys', allLost, 0)];
}

async function outages(): Promise<Finding[]> {
  const rows: string[][] = [];
  const findings: Finding[] = [];
  for (const containers of [10, 100, 1000]) {
    const measured = await simulate('outage', { containers, seconds: 120, settings: { concurrency: 10 } });
    const { requestsDuring, peakAfter, secondsUntilBack } = measured;
    rows.push([
      String(containers),
      show(requestsDuring * 60),
      show(requestsDuring * containers, '/s'),
      show(peakAfter * containers),
      show(secondsUntilBack, 's'),
    ]);
    if (containers === 1000)
      findings.push(
        atMost('scaling, requests per minute of a container in an outage', requestsDuring * 60, 30),
        atMost('scaling, until 99 of 100 containers are back after an outage', secondsUntilBack, 10, 's'),
      );
  }
  printTable(
    'An outage of two minutes, queues empty',
    [
      'containers',
      'requests per minute, each',
      'all together',
      'maximum in 100 ms afterwards',
      '99 of 100 back after',
    ],
    rows,
  );
  return findings;
}
