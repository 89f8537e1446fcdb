import type {
  Attribute,
  KernelFunc,
  NamedAttrMap,
  NamedTensorInfoMap,
  TensorInfo,
  backend_util,
} from '@tensorflow/tfjs-core';

type Padding = 'same' | 'valid' | number | backend_util.ExplicitPadding;
type Rounding = 'floor' | 'round' | 'ceil';
type KernelParams = Parameters<KernelFunc>[0];

const isPair = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'number');

const isExplicitPadding = (value: unknown): value is backend_util.ExplicitPadding =>
  Array.isArray(value) && value.length === 4 && value.every(isPair);

/** One call of a kernel: its inputs and attributes, checked as they are read. */
export class KernelCall {
  private readonly inputs: NamedTensorInfoMap;
  private readonly attributes: NamedAttrMap;

  constructor(
    private readonly kernelName: string,
    private readonly params: KernelParams,
    private readonly stockKernel: KernelFunc | undefined,
  ) {
    this.inputs = params.inputs;
    this.attributes = params.attrs ?? {};
  }

  input(name: string): TensorInfo {
    return this.optionalInput(name) ?? this.refuse(name);
  }

  optionalInput(name: string): TensorInfo | undefined {
    return this.inputs[name] ?? undefined;
  }

  /** All inputs in the caller's order. */
  allInputs(): TensorInfo[] {
    return Object.values(this.inputs).filter((input) => input !== undefined);
  }

  number(name: string): number {
    const value = this.attribute(name);
    return typeof value === 'number' ? value : this.refuse(name);
  }

  text(name: string): string {
    const value = this.attribute(name);
    return typeof value === 'string' ? value : this.refuse(name);
  }

  /** A boolean attribute; false where it is absent. */
  flag(name: string): boolean {
    return this.attribute(name) === true;
  }

  numbers(name: string): number[] {
    const value: unknown = this.attribute(name);
    if (!Array.isArray(value)) return this.refuse(name);
    return value.map((part: unknown) => (typeof part === 'number' ? part : this.refuse(name)));
  }

  /** One number for both directions, or one for each; [1, 1] where it is absent. */
  pair(name: string): [number, number] {
    const value = this.attribute(name) ?? 1;
    if (typeof value === 'number') return [value, value];
    return isPair(value) ? value : this.refuse(name);
  }

  padding(name: string): Padding {
    const value: unknown = this.attribute(name);
    if (value === 'same' || value === 'valid' || typeof value === 'number') return value;
    return isExplicitPadding(value) ? value : this.refuse(name);
  }

  rounding(name: string): Rounding | undefined {
    const value: unknown = this.attribute(name) ?? undefined;
    if (value === undefined || value === 'floor' || value === 'round' || value === 'ceil') return value;
    return this.refuse(name);
  }

  /** The axes of a reduction; undefined means all. */
  axes(name: string): number | number[] | undefined {
    const value = this.attribute(name) ?? undefined;
    return value === undefined || typeof value === 'number' ? value : this.numbers(name);
  }

  /** Runs the kernel that was registered before ours. */
  stock(): TensorInfo | TensorInfo[] {
    if (!this.stockKernel)
      throw new Error(`${this.kernelName} has no other implementation for these arguments`);
    return this.stockKernel(this.params);
  }

  private attribute(name: string): Attribute | null | undefined {
    return this.attributes[name];
  }

  private refuse(name: string): never {
    throw new Error(`${this.kernelName} was called without a usable "${name}"`);
  }
}
