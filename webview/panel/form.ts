import type {
  ParameterProblem,
  ParameterSpec,
  ParameterValues,
  RecipeSpec,
} from '../../src/protocol/parameters';
import { defaultParameters } from '../../src/protocol/parameters';
import type { FormDraft, RecipeForm } from '../../src/protocol/panel';
import { SAMPLE_DATA_SET } from '../../src/protocol/recipes';
import type { FieldControl } from '../shared/components';
import { button, checkbox, dropdown, textField } from '../shared/components';
import { el, setText, textButton } from '../shared/dom';
import {
  defaultText,
  fieldProblem,
  fieldText,
  groupParameters,
  parameterLabel,
  problemText,
  readFields,
} from './formModel';
import type { Send } from './model';
import type { FoldedSection } from './section';
import { foldedSection } from './section';

interface Field {
  spec: ParameterSpec;
  control: FieldControl;
  problem: HTMLElement;
  /** What it shows as long as the user leaves it alone. */
  given: string;
}

/** The form for the next run: which recipe, and its parameters. */
export class ParameterForm {
  readonly element: HTMLElement;
  private readonly section: FoldedSection;
  private readonly advanced = el('details', { class: 'advanced' });
  private readonly fields = new Map<string, Field>();
  private recipeControl: FieldControl | null = null;
  private recipe: RecipeSpec | null = null;
  private recipes: readonly RecipeForm[] = [];
  private given = '';
  /** What the host would train next. */
  private next = '';

  constructor(
    private readonly send: Send,
    private readonly onSubmit: () => void,
    private readonly onChange: () => void,
    /** Of this form before the page was made anew. */
    private readonly kept: FormDraft | undefined,
  ) {
    this.section = foldedSection('parameters', 'Parameters', true);
    this.element = this.section.element;
    setText(this.section.note, 'of the next run');
  }

  /** Shows recipes and values that came from the host. What the user chose and edited meanwhile stays. */
  render(recipes: readonly RecipeForm[], next: string): void {
    const given = JSON.stringify([recipes, next]);
    if (given === this.given) {
      return;
    }
    const draft = this.recipe === null ? this.kept : this.draft;
    const isChosen =
      draft !== undefined &&
      draft.recipe !== draft.next &&
      recipes.some(({ spec }) => spec.name === draft.recipe);
    const name = isChosen ? draft.recipe : next;
    this.given = given;
    this.recipes = recipes;
    this.next = next;
    this.choose(name);
    if (draft?.recipe === name) {
      for (const [edited, text] of Object.entries(draft.texts)) {
        this.set(edited, text);
      }
    }
  }

  /** What the user chose and edited; undefined if nothing. */
  get draft(): FormDraft | undefined {
    const edited = [...this.fields.values()].filter(({ control, given }) => control.value !== given);
    return edited.length === 0 && this.chosen === this.next
      ? undefined
      : {
          next: this.next,
          recipe: this.chosen,
          texts: Object.fromEntries(edited.map(({ spec, control }) => [spec.name, control.value])),
        };
  }

  private choose(name: string): void {
    const form = this.recipes.find(({ spec }) => spec.name === name) ?? this.recipes[0];
    if (form === undefined) {
      return;
    }
    if (JSON.stringify(form.spec) !== JSON.stringify(this.recipe)) {
      this.recipe = form.spec;
      this.build(form.spec);
    }
    this.setValues(form.params);
    for (const field of this.fields.values()) {
      field.given = field.control.value;
    }
    this.onChange();
  }

  /** Sets one field, as the user would. */
  set(name: string, value: string): void {
    const field = this.fields.get(name);
    if (field !== undefined) {
      field.control.value = value;
      this.check(field);
      this.onChange();
    }
  }

  text(name: string): string {
    return this.fields.get(name)?.control.value ?? '';
  }

  /** Name of the recipe that is trained next; empty as long as there is none. */
  get chosen(): string {
    return this.recipe?.name ?? '';
  }

  /** What to train with which values, or null after showing what is wrong with them. */
  read(): { recipe: string; params: ParameterValues } | null {
    if (this.recipe === null) {
      return null;
    }
    const texts = new Map([...this.fields].map(([name, { control }]) => [name, control.value]));
    const { values, problems } = readFields(this.recipe, texts);
    if (problems.length > 0) {
      this.showProblems(problems);
      return null;
    }
    return { recipe: this.recipe.name, params: values };
  }

  /** Shows problems at their fields and moves to the first of them. */
  showProblems(problems: readonly ParameterProblem[]): void {
    for (const field of this.fields.values()) {
      const problem = problems.find(({ name }) => name === field.spec.name);
      if (problem === undefined) {
        this.check(field);
      } else {
        this.mark(field, problemText(problem.name, problem.message));
      }
    }
    const wrong = [...this.fields.values()].find(({ spec }) =>
      problems.some(({ name }) => name === spec.name),
    );
    if (wrong !== undefined) {
      this.section.open = true;
      this.advanced.open ||= this.advanced.contains(wrong.control.element);
      wrong.control.element.scrollIntoView({ block: 'center' });
      wrong.control.focus();
    }
  }

  private build(recipe: RecipeSpec): void {
    this.fields.clear();
    const { main, advanced } = groupParameters(recipe);
    this.advanced.replaceChildren(
      el('summary', { text: 'Advanced' }),
      el('div', { class: 'fields' }, ...advanced.map((spec) => this.field(spec))),
    );
    this.advanced.hidden = advanced.length === 0;
    const reset = button({
      label: 'Reset to Defaults',
      appearance: 'secondary',
      onClick: () => {
        this.setValues(defaultParameters(recipe));
        this.onChange();
      },
    });
    this.section.body.replaceChildren(
      ...this.recipeField(recipe),
      el('div', { class: 'fields' }, ...main.map((spec) => this.field(spec))),
      this.advanced,
      el('div', { class: 'form-end' }, reset.element),
    );
  }

  /** The choice of what to train, where there is one. */
  private recipeField({ name, description }: RecipeSpec): HTMLElement[] {
    if (this.recipes.length < 2) {
      return [];
    }
    const control = dropdown({
      label: 'Recipe',
      choices: this.recipes.map(({ spec }) => ({ value: spec.name, label: spec.title })),
      value: name,
      onChange: (chosen) => {
        this.choose(chosen);
        this.recipeControl?.focus();
      },
    });
    this.recipeControl = control;
    return [
      el('div', { class: 'field recipe' }, control.element, el('p', { class: 'hint', text: description })),
    ];
  }

  private field(spec: ParameterSpec): HTMLElement {
    const problem = el('p', { class: 'problem', attributes: { 'aria-live': 'polite' } });
    problem.hidden = true;
    const control = this.control(spec);
    const field = { spec, control, problem, given: '' };
    this.fields.set(spec.name, field);
    const hint = el('p', { class: 'hint', text: spec.description });
    const wholeLine = ['folder', 'text', 'path', 'weights'].includes(spec.type);
    const element = el(
      'div',
      { class: wholeLine ? 'field whole-line' : 'field' },
      control.element,
      problem,
      hint,
    );
    if (spec.type === 'folder') {
      const choose = button({
        label: 'Choose…',
        icon: 'folder',
        appearance: 'secondary',
        onClick: () => this.send({ type: 'chooseFolder', name: spec.name }),
      });
      const line = el('div', { class: 'field-line' }, control.element, choose.element);
      const sample = textButton('Use the sample', () => this.set(spec.name, SAMPLE_DATA_SET));
      hint.append(' · ', sample);
      element.prepend(line);
    }
    return element;
  }

  private control(spec: ParameterSpec): FieldControl {
    const label = parameterLabel(spec.name);
    const changed = () => {
      const field = this.fields.get(spec.name);
      if (field !== undefined) {
        this.check(field);
      }
      this.onChange();
    };
    switch (spec.type) {
      case 'boolean':
        return checkbox({ label, checked: spec.default, onChange: changed });
      case 'choice':
        return dropdown({
          label,
          choices: spec.choices.map((choice) => ({ value: choice, label: choice })),
          value: spec.default,
          onChange: changed,
        });
      case 'integer':
      case 'number':
      case 'folder':
      case 'text':
      case 'path':
      case 'weights':
        return textField({
          label,
          value: defaultText(spec),
          onInput: changed,
          onEnter: this.onSubmit,
        });
    }
  }

  private setValues(params: ParameterValues): void {
    for (const field of this.fields.values()) {
      const { spec, control } = field;
      const value = params[spec.name];
      // The default of one that has to be given says nothing.
      control.value =
        value === undefined || (spec.required === true && value === spec.default)
          ? defaultText(spec)
          : fieldText(value);
      if (control.value === '') {
        this.mark(field, null);
      } else {
        this.check(field);
      }
    }
  }

  private check(field: Field): void {
    this.mark(field, fieldProblem(field.spec, field.control.value));
  }

  private mark({ control, problem }: Field, message: string | null): void {
    control.setProblem(message);
    problem.hidden = message === null;
    setText(problem, message ?? '');
  }
}
