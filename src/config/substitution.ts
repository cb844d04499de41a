/** Substitutes environment variables in values: `${NAME}`, `${NAME:-default}`; `$${` is a literal `${`. */

export interface Substitution {
  readonly value: string;
  /** Why a variable could not be substituted, one text for each. */
  readonly problems: readonly string[];
}

const MARK = /\$\$\{|\$\{(?<inside>[^{}]*)\}|\$\{/g;
const REFERENCE = /^(?<name>[A-Za-z_]\w*)(?::-(?<fallback>.*))?$/s;

/**
 * Substitutes variables from `environment` in a value. Substituted text is not expanded again.
 *
 *     substitute('${HOST}:${PORT:-80}', { HOST: 'a' })    // { value: 'a:80', problems: [] }
 *     substitute('$${HOST}', {})                          // { value: '${HOST}', problems: [] }
 *
 * As in a shell, the default is used when the variable is unset or empty.
 */
export function substitute(value: string, environment: NodeJS.ProcessEnv): Substitution {
  const problems: string[] = [];
  const filled = value.replace(MARK, (mark, inside: string | undefined) => {
    if (mark === '$${') return '${';
    const { name, fallback } = (inside === undefined ? undefined : REFERENCE.exec(inside)?.groups) ?? {};
    if (name === undefined) {
      problems.push(`${mark} is not a variable; write \${NAME} or \${NAME:-default}, or $\${ for \${ itself`);
      return mark;
    }
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (fallback !== undefined) return found || fallback;
    if (found === undefined) {
      problems.push(
        `the environment variable ${name} is not set; set it, or give a default: \${${name}:-default}`,
      );
    }
    return found ?? mark;
  });
  return { value: filled, problems };
}
