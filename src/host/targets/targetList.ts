import type { TargetConfig } from '../../targets/config';
import type { TargetLook } from '../../targets/targetState';

const ICONS: Record<TargetLook['state'], string> = {
  cold: 'circle-outline',
  warming: 'flame',
  warm: 'flame',
  training: 'sync',
  cooling: 'circle-outline',
  unreachable: 'warning',
};

/** One line about where a target is. */
export function placeOf(config: TargetConfig): string {
  switch (config.kind) {
    case 'local':
      return 'this machine';
    case 'ssh':
      return `SSH, ${config.host}`;
    case 'docker':
      return `${config.engine === 'auto' ? 'Docker or Podman' : config.engine}${
        config.context === undefined ? '' : `, ${config.context}`
      }`;
    case 'modal':
      return `Modal, ${config.gpu}`;
  }
}

/** How the list shows a target. @param look undefined while nobody knows */
export function targetItem(
  config: TargetConfig,
  look: TargetLook | undefined,
  isChosen: boolean,
): { label: string; description: string; detail?: string } {
  const icon = look === undefined ? 'loading~spin' : ICONS[look.state];
  const detail = look?.detail.split('\n')[0] ?? '';
  return {
    label: `$(${icon}) ${config.name}`,
    description: [placeOf(config), look?.state ?? 'looking…', ...(isChosen ? ['chosen'] : [])].join(' · '),
    ...(detail === '' ? {} : { detail }),
  };
}
