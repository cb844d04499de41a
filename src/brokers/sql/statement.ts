/** A statement that is built once and run with different values: building one takes longer than running most. */
import { type Compilable, type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import type { SqlDialect } from './database.ts';
import type { Tables } from './schema.ts';

/** The placeholders for the values, by name, for building a statement; some are lists. */
export type Placeholders<Of> = {
  readonly [Name in keyof Of]: Of[Name] extends readonly (infer Value)[]
    ? readonly RawBuilder<Value>[]
    : RawBuilder<Of[Name]>;
};

/** A placeholder for a value, or for one element of a list of values. */
class Placeholder {
  readonly #name: string;
  readonly #index: number | undefined;

  constructor(name: string, index?: number) {
    this.#name = name;
    this.#index = index;
  }

  valueIn(values: object): unknown {
    const value = (values as Readonly<Record<string, unknown>>)[this.#name];
    return this.#index === undefined ? value : (value as readonly unknown[])[this.#index];
  }
}

type Build<Of, Row> = (
  tables: Kysely<Tables>,
  placeholders: Placeholders<Of>,
  dialect: SqlDialect,
) => Compilable<Row>;

export class Statement<Of extends object, Row> {
  readonly #build: Build<Of, Row>;
  /** The compiled statements for each database, by the lengths of the lists. */
  readonly #compiled = new WeakMap<SqlDialect, Map<string, CompiledQuery<Row>>>();

  /** `build` is called once for each combination of list lengths: the statement must depend on nothing else. */
  constructor(build: Build<Of, Row>) {
    this.#build = build;
  }

  /** Runs the statement with these values. Resolves with its rows. */
  async run(tables: Kysely<Tables>, values: Of, dialect: SqlDialect): Promise<Row[]> {
    const compiled = this.#compile(tables, values, dialect);
    const parameters = compiled.parameters.map((parameter) =>
      parameter instanceof Placeholder ? parameter.valueIn(values) : parameter,
    );
    const { rows } = await tables.executeQuery<Row>({ ...compiled, parameters });
    return rows;
  }

  #compile(tables: Kysely<Tables>, values: Of, dialect: SqlDialect): CompiledQuery<Row> {
    const lengths = Object.values(values)
      .filter((value) => Array.isArray(value))
      .map(({ length }) => length)
      .join();
    const known = this.#compiled.get(dialect) ?? new Map<string, CompiledQuery<Row>>();
    this.#compiled.set(dialect, known);
    const compiled = known.get(lengths) ?? this.#build(tables, placeholdersFor(values), dialect).compile();
    known.set(lengths, compiled);
    return compiled;
  }
}

function placeholdersFor<Of extends object>(values: Of): Placeholders<Of> {
  const placeholders = Object.entries(values).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map((_, index) => placeholder(name, index)) : placeholder(name),
  ]);
  return Object.fromEntries(placeholders) as Placeholders<Of>;
}

function placeholder(name: string, index?: number): RawBuilder<unknown> {
  return sql`${new Placeholder(name, index)}`;
}
