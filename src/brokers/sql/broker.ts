/** A broker on an SQL database, which several processes can share. */
import type { Kysely } from 'kysely';
import type { Broker, CreateOptions, Queue } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { PendingPolls } from '../pending-polls.ts';
import { MAX_DATABASE_DELAY_SECONDS } from '../rules/limits.ts';
import { checkCreate, DEFAULT_SETTINGS } from '../rules/sqs-rules.ts';
import { type Database, type QueueNow, selectQueue } from './database.ts';
import { SqlQueue } from './queue.ts';
import type { QueueRow, Tables } from './schema.ts';
import { purge } from './settle.ts';

export class SqlBroker implements Broker {
  readonly description: string;
  readonly maxDelaySeconds = MAX_DATABASE_DELAY_SECONDS;
  readonly makesQueues = true;
  readonly #database: Database;
  readonly #polls: PendingPolls;

  constructor(database: Database) {
    this.description = database.description;
    this.#database = database;
    this.#polls = new PendingPolls((changed) => database.watch(changed), database.machine);
  }

  /** Opens a queue; creates it with SQS's defaults if it does not exist. */
  async open(name: string): Promise<Queue> {
    const row = (await this.#find(name)) ?? (await this.#make(name, {}));
    return new SqlQueue(row, this.#database, this.#polls, this.maxDelaySeconds);
  }

  async create(name: string, options: CreateOptions = {}): Promise<void> {
    await this.#make(name, options);
  }

  async remove(name: string): Promise<void> {
    const row = await this.#find(name);
    if (!row) return;
    await purge(this.#database, row);
    const { dialect } = this.#database;
    await this.#database.change(async (tables) => {
      await tables
        .deleteFrom('queue')
        .where('id', '=', row.id)
        .returning(dialect.announcement(name).as('announced'))
        .execute();
      for (const table of ['message', 'message_group', 'deduplication'] as const) {
        await tables.deleteFrom(table).where('queue_id', '=', row.id).execute();
      }
    });
    this.#polls.wake(name);
  }

  async list(prefix = ''): Promise<string[]> {
    const rows = await this.#database.read((tables) => tables.selectFrom('queue').select('name').execute());
    return rows
      .map(({ name }) => name)
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  async close(): Promise<void> {
    this.#polls.close();
    await this.#database.close();
  }

  #find(name: string): Promise<QueueNow | undefined> {
    return this.#database.read((tables) => this.#findIn(tables, name));
  }

  #findIn(tables: Kysely<Tables>, name: string): Promise<QueueNow | undefined> {
    return selectQueue(tables, name, this.#database.dialect).executeTakeFirst();
  }

  /** Creates the queue if it does not exist, and updates the given settings. */
  #make(name: string, options: CreateOptions): Promise<QueueRow> {
    checkCreate(name, options, this.maxDelaySeconds);
    return this.#database.change(async (tables) => {
      const { deadLetterQueue } = options;
      if (deadLetterQueue && !(await this.#findIn(tables, deadLetterQueue.name))) {
        throw new QueueNotFoundError(deadLetterQueue.name, this.description);
      }
      const settings = settingsOf(options);
      return tables
        .insertInto('queue')
        .values({ ...DEFAULTS, name, ...settings })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ name, ...settings }))
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }
}

const DEFAULTS = {
  visibility_timeout: DEFAULT_SETTINGS.visibilityTimeout,
  delay_seconds: DEFAULT_SETTINGS.delaySeconds,
  content_based_deduplication: Number(DEFAULT_SETTINGS.contentBasedDeduplication),
};

/** The columns for the given settings. */
function settingsOf(options: CreateOptions): Partial<Omit<QueueRow, 'id' | 'name'>> {
  const { visibilityTimeout, delaySeconds, retentionSeconds, deadLetterQueue } = options;
  const { contentBasedDeduplication } = options;
  return {
    ...(visibilityTimeout !== undefined && { visibility_timeout: visibilityTimeout }),
    ...(delaySeconds !== undefined && { delay_seconds: delaySeconds }),
    ...(retentionSeconds !== undefined && { retention_seconds: retentionSeconds }),
    ...(deadLetterQueue && {
      dead_letter_queue: deadLetterQueue.name,
      max_receives: deadLetterQueue.maxReceives,
    }),
    ...(contentBasedDeduplication !== undefined && {
      content_based_deduplication: Number(contentBasedDeduplication),
    }),
  };
}
