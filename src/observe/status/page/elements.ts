/**
 * Changes elements of the page in place, and only where something is new, so that focus, selection and screen readers
 * are not disturbed. Text is always set as text, so that a message's content is never interpreted as markup.
 */

/** The element of index.html with this id. */
export function find<Found extends HTMLElement = HTMLElement>(id: string): Found {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element with ID ${id}.`);
  return found as Found;
}

/** Creates an element; children are texts or elements. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...children: (string | Node)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element: Element, className: string): void {
  if (element.className !== className) element.className = className;
}

/** The content of a cell. */
export interface Cell {
  readonly text: string;
  readonly className?: string;
}

export interface RowContent {
  /** Identifies the thing that the row describes. */
  readonly key: string;
  /** The first cell is the header of the row; `note` follows it. */
  readonly cells: readonly Cell[];
  readonly note?: Cell | undefined;
  /** The chart line that the row describes; `color` is a custom property of the style sheet. */
  readonly swatch?: { readonly color: string; readonly dashed: boolean };
}

/** Sets the rows of a table's body, and keeps existing rows. */
export function setRows(table: HTMLElement, rows: readonly RowContent[]): void {
  const body = table.querySelector('tbody')!;
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  for (const [index, content] of rows.entries()) {
    const row = known.get(content.key) ?? newRow(content);
    known.delete(content.key);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    fill(row, content);
  }
  for (const row of known.values()) row.remove();
}

function newRow({ key, cells, swatch }: RowContent): HTMLTableRowElement {
  const row = make('tr');
  row.dataset.key = key;
  for (const index of cells.keys()) {
    if (index > 0) row.append(make('td'));
    else row.append(Object.assign(make('th', '', make('span'), make('span')), { scope: 'row' }));
  }
  if (swatch) {
    const line = make('i', swatch.dashed ? 'swatch dashed' : 'swatch');
    line.style.color = `var(${swatch.color})`;
    row.cells[0]!.prepend(line);
  }
  return row;
}

function fill(row: HTMLTableRowElement, { cells, note }: RowContent): void {
  for (const [index, { text, className = '' }] of cells.entries()) {
    const cell = row.cells[index]!;
    if (index > 0) {
      setText(cell, text);
      setClass(cell, className);
    } else {
      const [title, after] = cell.querySelectorAll('span');
      setText(title!, text);
      setText(after!, note ? ` ${note.text}` : '');
      setClass(after!, `note ${note?.className ?? ''}`.trim());
    }
  }
}
