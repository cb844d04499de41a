/** Fills the environment into values: `${NAME}`, `${NAME:-default}`; `$${` stands for `${` itself. */

export interface Substitution {
  readonly value: string;
  /** What could not be filled in and why, one text for each. */
  readonly problems: readonly string[];
}

const MARK = /\$\$\{|\$\{(?<inside>[^{}]*)\}|\$\{/g;
const REFERENCE = /^(?<name>[A-Za-z_]\w*)(?::-(?<fallback>.*))?$/s;

/**
 * Fills variables of `environment` into a value. What comes from there is text, never looked at again.
 *
 *     substitute('${HOST}:${PORT:-80}', { HOST: 'a' })    // { value: 'a:80', problems: [] }
 *     substitute('$${HOST}', {})                          // { value: '${HOST}', problems: [] }
 *
 * As in a shell, the default serves when the variable is unset or empty.
 */
export function substitute(value: string, environment: NodeJS.ProcessEnv): Substitution {
  const problems: string[] = [];
  const filled = value.replace(MARK, (mark, inside: string | undefined) => {
    if (mark === '$${') return '${';
    const { name, fallback } = (inside === undefined ? undefined : REFERENCE.exec(inside)?.groups) ?? {};
    if (name === undefined) {
      problems.push(`${mark} is no variable; write \${NAME} or \${NAME:-default}, or $\${ for \${ itself`);
      return mark;
    }
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (fallback !== undefined) return found || fallback;
    if (found === undefined) {
      problems.push(
        `the environment has no variable ${name}; set it, or give a default: \${${name}:-default}`,
      );
    }
    return found ?? mark;
  });
  return { value: filled, problems };
}
