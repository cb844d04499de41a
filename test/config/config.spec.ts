// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts contain literal ${}
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { type Config, parseConfig, readConfig } from '../../src/config/config.ts';
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts';

const MINIMAL = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';

function parse(text: string, environment: NodeJS.ProcessEnv = {}): Config {
  return parseConfig(text, 'worker.ini', environment);
}

function errorOf(text: string, environment: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    parse(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('There is nothing wrong with it.');
}

/** The lines of the message, without the file. */
function problemsOf(text: string, environment: NodeJS.ProcessEnv = {}): string[] {
  return errorOf(text, environment)
    .message.split('\n')
    .map((line) => line.replace(/^worker\.ini:/, ''));
}

describe('an ini file', () => {
  it('needs a worker and a queue', () => {
    const { file, directory, container, worker, sqs, loggers } = parseConfig(MINIMAL, '/app/worker.ini', {});
    expect({ file, directory, worker, sqs }).to.deep.equal({
      file: '/app/worker.ini',
      directory: '/app',
      worker: {},
      sqs: {},
    });
    expect(container).to.deep.equal({
      worker: './adder.ts:adder',
      queue: [{ name: 'adder', weight: 1 }],
      broker: 'sqs',
      poll: 30,
      idlePause: 0,
      concurrency: 10,
      processes: 1,
      prefetch: 'auto',
      settleDelay: 200,
      onError: 'delete',
      backoff: 'none',
      backoffBase: 2,
      backoffMax: 1800,
      backoffSpread: 0.1,
      crashLimit: 5,
      deleteOnStart: false,
      drainTimeout: 30,
    });
    expect(loggers.named.size).to.equal(0);
  });

  it('reports missing options on the line of the section', () => {
    expect(problemsOf('\n[container]\npoll = 5')).to.deep.equal([
      '2: [container] worker: missing; expected module:expr, such as ./adder.ts:adder',
      '2: [container] queue: missing; expected a queue name (up to 80 letters, digits, - and _, then .fifo for a FIFO queue) or URL; or several, such as urgent*3, bulk',
    ]);
  });

  it('reports missing options in a file without the section, and in an empty file', () => {
    for (const text of ['', '[worker]\nscale = 1']) {
      expect(errorOf(text).problems.map(({ line, section, key }) => ({ line, section, key }))).to.deep.equal([
        { line: undefined, section: 'container', key: 'worker' },
        { line: undefined, section: 'container', key: 'queue' },
      ]);
      expect(problemsOf(text)[0]).to.match(/^ \[container\] worker: missing; /);
    }
  });

  it('reports all problems at once, in file order, each with its location, its value and what was expected', () => {
    const text = `[container] ; the container
pol = 5
queue = two words
broker = sqlite:\${DATA}/queues.db
poll = often
visibility_timeout
settle_delay = 1 # quick

[loger]
level = info
[sqs]
endpoint = localhost
[worker.mail]
[logger]
level = loud
[logger.messages]
format = {body}
`;
    expect(problemsOf(text)).to.deep.equal([
      '1: [container]: "[container] ; the container" is not a header; expected [container] alone on its line',
      '1: [container] worker: missing; expected module:expr, such as ./adder.ts:adder',
      '2: [container] pol: unknown key; did you mean "poll"?',
      '3: [container] queue = "two words": expected a queue name (up to 80 letters, digits, - and _, then .fifo for a FIFO queue) or URL; or several, such as urgent*3, bulk',
      '4: [container] broker = "sqlite:${DATA}/queues.db": the environment variable DATA is not set; set it, or give a default: ${DATA:-default}',
      '5: [container] poll = "often": expected a duration such as 30, 500ms or 5m',
      '6: [container] visibility_timeout: has no value; write visibility_timeout = VALUE',
      '7: [container] settle_delay = "1 # quick": # starts a comment; quote the value, or put the comment on a line of its own',
      '9: [loger]: unknown section; did you mean "logger"?',
      '12: [sqs] endpoint = "localhost": expected an http or https URL',
      '13: [worker.mail]: [worker] has no subsections; put these keys in it, such as mail_KEY',
      '15: [logger] level = "loud": expected error, warn, info or debug',
      '17: [logger.messages] format = "{body}": expected text, json, or a template with {message} and, optionally, {time}, {level}, {logger}',
    ]);
  });

  it('also has its problems as data', () => {
    const problem: ConfigProblem = {
      file: 'worker.ini',
      line: 4,
      section: 'container',
      key: 'poll',
      value: 'often',
      text: 'expected a duration such as 30, 500ms or 5m',
    };
    expect(errorOf(`${MINIMAL}poll = often`).problems).to.deep.equal([problem]);
  });

  it('reports invalid values along with a queue URL that the broker does not take', () => {
    const text = '[container]\nworker = x\nqueue = http://host/q\nbroker = memory:\npoll = often';
    expect(errorOf(text).problems.map(({ key }) => key)).to.deep.equal(['worker', 'queue', 'poll']);
  });

  describe('with an unknown name reports it:', () => {
    const cases: [string, string][] = [
      [
        '[container]\nvisibilityTimeout = 5',
        '[container] visibilityTimeout: unknown key; did you mean "visibility_timeout"?',
      ],
      ['[container]\n__proto__ = 5', '[container] __proto__ = "5": no key can have this name'],
      [
        '[container]\nconstructor = 5',
        '[container] constructor: unknown key; [container] takes worker, queue, queue_prefix, suffixes, broker, poll, idle_pause, visibility_timeout, handler_timeout, concurrency, processes, prefetch, settle_delay, on_error, dead_letter_queue, backoff, backoff_base, backoff_max, backoff_spread, crash_limit, delete_on_start, message_limit, idle_exit, max_memory, drain_timeout',
      ],
      ['[sqs]\naccess_key = 5', '[sqs] access_key: unknown key; [sqs] takes region, endpoint'],
      ['[logger]\npropagate = no', '[logger] propagate: unknown key; [logger] takes level, path, format'],
      ['[logger.a]\nlevle = info', '[logger.a] levle: unknown key; did you mean "level"?'],
      ['[Worker]', '[Worker]: unknown section; did you mean "worker"?'],
      [
        '[__proto__]',
        '[__proto__]: unknown section; the sections are container, worker, sqs, http, logger, logger.NAME',
      ],
      [
        '[constructor]',
        '[constructor]: unknown section; the sections are container, worker, sqs, http, logger, logger.NAME',
      ],
      [
        '[my section]',
        '[my section]: unknown section; the sections are container, worker, sqs, http, logger, logger.NAME',
      ],
      ['[]', '[]: unknown section; the sections are container, worker, sqs, http, logger, logger.NAME'],
      ['[logger.]', '[logger.]: the name of a logger must be a single word, such as [logger.messages]'],
      ['[logger.a.b]', '[logger.a.b]: the name of a logger must be a single word, such as [logger.messages]'],
      ['[sqs.eu]', '[sqs.eu]: [sqs] has no subsections; put these keys in it, such as eu_KEY'],
    ];
    for (const [text, problem] of cases) {
      it(text.replace('\n', ' '), () => {
        const whole = text.startsWith('[container]')
          ? text.replace('[container]\n', MINIMAL)
          : `${MINIMAL}${text}`;
        expect(problemsOf(whole)).to.deep.equal([`${whole.split('\n').length}: ${problem}`]);
      });
    }
  });

  describe('substitutes environment variables', () => {
    it('in every section', () => {
      const { container, worker, sqs, loggers } = parse(
        '[container]\nworker = ${W}\nqueue = ${STAGE:-dev}-adder\npoll = ${POLL}\n[worker]\nurl = "http://${HOST}/#a"\n[sqs]\nregion = ${REGION}\n[logger]\nlevel = ${LEVEL:-warn}',
        { W: './a.ts:b', POLL: '1m', HOST: 'host # 1', REGION: 'eu-west-1', LEVEL: '' },
      );
      expect(container).to.include({ worker: './a.ts:b', poll: 60 });
      expect(container.queue).to.deep.equal([{ name: 'dev-adder', weight: 1 }]);
      expect(worker).to.deep.equal({ url: 'http://host # 1/#a' });
      expect(sqs).to.deep.equal({ region: 'eu-west-1' });
      expect(loggers.root.level).to.equal('warn');
    });

    it('and reports invalid values after substitution', () => {
      expect(problemsOf(`${MINIMAL}poll = \${POLL}`, { POLL: 'soon' })).to.deep.equal([
        '4: [container] poll = "soon": expected a duration such as 30, 500ms or 5m',
      ]);
    });

    it('but not in escaped references', () => {
      expect(parse(`${MINIMAL}[worker]\ntemplate = $\${HOST}`).worker).to.deep.equal({ template: '${HOST}' });
    });
  });

  describe('with secrets shows none of them in its problems:', () => {
    it('values whose key suggests a secret', () => {
      expect(problemsOf(`${MINIMAL}[worker]\npassword = abc#def`)).to.deep.equal([
        '5: [worker] password = "***": # starts a comment; quote the value, or put the comment on a line of its own',
      ]);
    });

    it('passwords in URLs', () => {
      const { problems, message } = errorOf(`${MINIMAL}broker = mysql://me:abc@host`);
      expect(message).to.contain('broker = "mysql://me:***@host": expected sqs,');
      expect(problems[0]?.value).to.equal('mysql://me:***@host');
    });

    it('variables next to a missing one', () => {
      const environment = { USER_NAME: 'me', PIN: '1234' };
      expect(
        errorOf(`${MINIMAL}[worker]\nlogin = \${USER_NAME}:\${PIN}@\${HOST}`, environment).message,
      ).to.not.contain('1234');
    });
  });

  describe('passes [worker] to the worker', () => {
    it('as unchecked strings', () => {
      const { worker } = parse(
        `${MINIMAL}[worker]\nscale = 1\nyes = true\nnone = null\nempty =\nspaces = "  x  "\nconstructor = y\na.b = c`,
      );
      expect(worker).to.deep.equal({
        scale: '1',
        yes: 'true',
        none: 'null',
        empty: '',
        spaces: '  x  ',
        constructor: 'y',
        'a.b': 'c',
      });
    });

    it('except the key __proto__', () => {
      expect(problemsOf(`${MINIMAL}[worker]\n__proto__ = x`)).to.deep.equal([
        '5: [worker] __proto__ = "x": no key can have this name',
      ]);
    });
  });

  it('can start with a byte order mark and have Windows line endings', () => {
    expect(parse(`\uFEFF${MINIMAL.replaceAll('\n', '\r\n')}`)).to.deep.equal(parse(MINIMAL));
    expect(problemsOf(`\uFEFF${MINIMAL.replaceAll('\n', '\r\n')}poll = x\r\n`)[0]).to.match(/^4: /);
  });
});

describe('reading an ini file', () => {
  const FILE_TEXT = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n[worker]\nname = Zoë\n';
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqs-containers-'));
    file = join(folder, 'worker.ini');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('returns its config, and the folder that its paths are relative to', () => {
    writeFileSync(file, FILE_TEXT);
    const config = readConfig(relative(process.cwd(), file));
    expect(config.file).to.equal(relative(process.cwd(), file));
    expect(config.directory).to.equal(folder);
    expect(config.worker).to.deep.equal({ name: 'Zoë' });
  });

  it('takes variables from the environment of the process by default', () => {
    writeFileSync(file, `${FILE_TEXT}path = \${PATH}`);
    expect(readConfig(file).worker.path).to.equal(process.env.PATH);
    expect(readConfig(file, { PATH: '/bin' }).worker.path).to.equal('/bin');
  });

  it('accepts a byte order mark', () => {
    writeFileSync(file, `\uFEFF${FILE_TEXT}`);
    expect(readConfig(file).container.queue).to.deep.equal([{ name: 'adder', weight: 1 }]);
  });

  it('reports a file that does not exist', () => {
    expect(() => readConfig(file)).to.throw(
      ConfigError,
      `${file}: the file does not exist; name an existing ini file`,
    );
  });

  it('reports a folder', () => {
    expect(() => readConfig(folder)).to.throw(ConfigError, `${folder}: this is a folder; name an ini file`);
  });

  it('reports text that is not UTF-8', () => {
    writeFileSync(file, Buffer.from(FILE_TEXT, 'latin1'));
    expect(() => readConfig(file)).to.throw(
      ConfigError,
      `${file}: the file is not UTF-8 text; save it as UTF-8`,
    );
  });

  it('reports any other reason why it cannot be read, and keeps the cause', () => {
    writeFileSync(file, FILE_TEXT);
    const inside = join(file, 'worker.ini');
    expect(() => readConfig(inside))
      .to.throw(ConfigError, `${inside}: the file cannot be read: ENOTDIR`)
      .with.property('cause')
      .that.includes({ code: 'ENOTDIR' });
  });
});
