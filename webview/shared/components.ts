/**
 * The controls of our webviews. This is the only module that knows which component library draws them:
 * to replace `@vscode/webview-ui-toolkit`, replace this file. The page styles the controls by the classes
 * `tc-button`, `tc-field`, `tc-dropdown`, `tc-checkbox` and `tc-ring` alone.
 */
import {
  Button,
  Checkbox,
  Dropdown,
  ProgressRing,
  TextField,
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import type { IconName } from './icons';
import { icon } from './icons';

// The library's badge is left out: its template carries a style attribute, which the page's policy refuses.
provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

export interface ButtonOptions {
  label: string;
  /** `icon`: only the icon is seen, the label is its name and tooltip. */
  appearance: 'primary' | 'secondary' | 'icon';
  icon?: IconName;
  title?: string;
  onClick: () => void;
}

export interface ButtonControl {
  readonly element: HTMLElement;
  setLabel(label: string): void;
  setTitle(title: string): void;
  setDisabled(disabled: boolean): void;
  /** For a button that switches something on and off. */
  setPressed(pressed: boolean): void;
}

/** A push button. */
export function button(options: ButtonOptions): ButtonControl {
  const element = make('vscode-button', Button);
  const text = document.createTextNode(options.label);
  element.className = 'tc-button';
  element.appearance = options.appearance;
  if (options.appearance === 'icon') {
    element.setAttribute('aria-label', options.label);
    element.title = options.title ?? options.label;
    element.append(icon(options.icon ?? 'play'));
  } else {
    element.append(text);
    if (options.icon !== undefined) {
      const start = icon(options.icon);
      start.setAttribute('slot', 'start');
      element.append(start);
    }
    element.title = options.title ?? '';
  }
  element.addEventListener('click', () => {
    if (!element.disabled) {
      options.onClick();
    }
  });
  return {
    element,
    setLabel: (label) => {
      if (options.appearance === 'icon') {
        element.setAttribute('aria-label', label);
        element.title = label;
      } else if (text.data !== label) {
        text.data = label;
      }
    },
    setTitle: (title) => {
      element.title = title;
    },
    setDisabled: (disabled) => {
      element.disabled = disabled;
    },
    setPressed: (pressed) => {
      element.ariaPressed = String(pressed);
      element.classList.toggle('pressed', pressed);
    },
  };
}

export interface FieldControl {
  readonly element: HTMLElement;
  /** What the field holds, as text. Setting it tells no listener. */
  value: string;
  setDisabled(disabled: boolean): void;
  /** Marks the field as wrong, or as right again with null. The text itself is shown by the caller. */
  setProblem(problem: string | null): void;
  focus(): void;
}

export interface TextFieldOptions {
  /** Shown above the field and read out as its name. */
  label: string;
  /** Leaves the label to be read out only. */
  labelHidden?: boolean;
  value: string;
  placeholder?: string;
  onInput: (value: string) => void;
  onEnter?: () => void;
}

/** A field for one line of text. */
export function textField(options: TextFieldOptions): FieldControl {
  const element = make('vscode-text-field', TextField);
  element.className = 'tc-field';
  element.value = options.value;
  element.placeholder = options.placeholder ?? '';
  if (options.labelHidden !== true) {
    element.append(options.label);
  }
  element.addEventListener('input', () => options.onInput(element.value));
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      options.onEnter?.();
    }
  });
  // The library names a field without a visible label "Text field" each time it is put into the page.
  const name = new MutationObserver(() => {
    if (element.getAttribute('aria-label') !== options.label) {
      element.setAttribute('aria-label', options.label);
    }
  });
  name.observe(element, { attributes: true, attributeFilter: ['aria-label'] });
  return {
    element,
    get value() {
      return element.value;
    },
    set value(value) {
      element.value = value;
    },
    setDisabled: (disabled) => {
      element.disabled = disabled;
    },
    setProblem: (problem) => markProblem(element, problem),
    focus: () => element.focus(),
  };
}

export interface DropdownOptions {
  label: string;
  labelHidden?: boolean;
  choices: readonly { value: string; label: string }[];
  value: string;
  onChange: (value: string) => void;
}

/** A choice of one among a few. */
export function dropdown(options: DropdownOptions): FieldControl {
  const list = make('vscode-dropdown', Dropdown);
  list.className = 'tc-dropdown';
  list.setAttribute('aria-label', options.label);
  for (const choice of options.choices) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', choice.value);
    option.textContent = choice.label;
    option.toggleAttribute('selected', choice.value === options.value);
    list.append(option);
  }
  list.addEventListener('change', () => options.onChange(list.value));
  let element: HTMLElement = list;
  if (options.labelHidden !== true) {
    element = document.createElement('div');
    element.className = 'tc-labelled';
    const label = document.createElement('span');
    label.textContent = options.label;
    label.setAttribute('aria-hidden', 'true');
    element.append(label, list);
  }
  return {
    element,
    get value() {
      return list.value;
    },
    set value(value) {
      list.value = value;
    },
    setDisabled: (disabled) => {
      list.disabled = disabled;
    },
    setProblem: (problem) => markProblem(list, problem),
    focus: () => list.focus(),
  };
}

export interface CheckboxOptions {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** A box to tick; its value is "true" or "false". */
export function checkbox(options: CheckboxOptions): FieldControl {
  const element = make('vscode-checkbox', Checkbox);
  element.className = 'tc-checkbox';
  element.checked = options.checked;
  element.append(options.label);
  element.addEventListener('change', () => options.onChange(element.checked));
  return {
    element,
    get value() {
      return String(element.checked);
    },
    set value(value) {
      element.checked = value === 'true';
    },
    setDisabled: (disabled) => {
      element.disabled = disabled;
    },
    setProblem: (problem) => markProblem(element, problem),
    focus: () => element.focus(),
  };
}

/** A ring that turns while something of unknown length goes on. */
export function progressRing(label: string): HTMLElement {
  const element = make('vscode-progress-ring', ProgressRing);
  element.className = 'tc-ring';
  element.setAttribute('aria-label', label);
  return element;
}

function markProblem(element: HTMLElement, problem: string | null): void {
  element.classList.toggle('wrong', problem !== null);
  element.setAttribute('aria-invalid', String(problem !== null));
}

/** Makes one of the library's elements, as the class that was registered for its tag. */
function make<T extends HTMLElement>(tag: string, type: abstract new () => T): T {
  const element = document.createElement(tag);
  if (!(element instanceof type)) {
    throw new Error(`<${tag}> is not registered`);
  }
  return element;
}
