/** Colours and fonts for what is drawn by script; all else takes the theme's variables in style sheets. */
export interface ChartTheme {
  text: string;
  grid: string;
  cursor: string;
  background: string;
  font: string;
  series: { step: string; train: string; val: string; rate: string };
  /** Curves differ by dashes too, where colours may not be told apart. */
  highContrast: boolean;
}

/** Reads the theme that is in force now. */
export function readChartTheme(): ChartTheme {
  const styles = getComputedStyle(document.body);
  const variable = (name: string, otherwise: string) => {
    const value = styles.getPropertyValue(name).trim();
    return value === '' ? otherwise : value;
  };
  const forced = window.matchMedia('(forced-colors: active)').matches;
  const text = forced ? 'CanvasText' : variable('--vscode-descriptionForeground', styles.color);
  const lines = forced ? 'CanvasText' : variable('--vscode-charts-lines', styles.color);
  const train = forced ? 'LinkText' : variable('--vscode-charts-blue', lines);
  const val = forced ? 'CanvasText' : variable('--vscode-charts-yellow', lines);
  return {
    text,
    grid: faded(styles.color, 10),
    cursor: faded(styles.color, 45),
    background: forced ? 'Canvas' : variable('--vscode-editor-background', 'transparent'),
    font: `11px ${variable('--vscode-font-family', 'sans-serif')}`,
    series: {
      step: faded(train, 40),
      train,
      val,
      rate: forced ? 'CanvasText' : variable('--vscode-charts-purple', lines),
    },
    highContrast: forced || document.body.classList.contains('vscode-high-contrast'),
  };
}

/** Calls `listener` after the theme has changed. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  window.matchMedia('(forced-colors: active)').addEventListener('change', listener);
}

function faded(color: string, percent: number): string {
  return `color-mix(in srgb, ${color} ${percent}%, transparent)`;
}
