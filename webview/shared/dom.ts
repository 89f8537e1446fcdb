type Child = Node | string | null;

export interface ElementOptions {
  class?: string;
  text?: string;
  title?: string;
  /** Attributes as they are written; `style` is not allowed by the page's policy, see `setVariable`. */
  attributes?: Record<string, string>;
}

/** Makes an HTML element. Every text becomes a text node, never markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (options.class !== undefined) {
    element.className = options.class;
  }
  if (options.text !== undefined) {
    element.textContent = options.text;
  }
  if (options.title !== undefined) {
    element.title = options.title;
  }
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets the text of `node` if it differs, so that an unchanged text costs no layout and keeps a selection. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Sets a CSS custom property; unlike a style attribute this is allowed under a strict policy. */
export function setVariable(element: HTMLElement | SVGElement, name: `--${string}`, value: string): void {
  element.style.setProperty(name, value);
}

/** A button without a box, for things inside a table or a line of text. */
export function textButton(label: string, onClick: () => void, title?: string): HTMLButtonElement {
  const button = el('button', {
    class: 'text-button',
    text: label,
    attributes: { type: 'button' },
    ...(title === undefined ? {} : { title }),
  });
  button.addEventListener('click', onClick);
  return button;
}

/** An element by its id in the page's skeleton. */
export function requireElement(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`the page has no element "${id}"`);
  }
  return element;
}
