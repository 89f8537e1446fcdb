export { oneLine, QuickInput } from './quickInput';
export { Workbench } from './workbench';
export type { ColorTheme, WorkbenchOptions } from './workbench';
