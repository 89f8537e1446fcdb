/** Networks under the classification head, the smallest first. */
export const BACKBONES = ['tiny_cnn', 'resnet18', 'resnet34', 'resnet50', 'mobilenet_v3_small'] as const;
export type BackboneName = (typeof BACKBONES)[number];

/** What `backbone: auto` comes to. */
export function automaticBackbone(engine: string): BackboneName {
  return engine === 'tensorflow' || engine === 'webgpu' ? 'resnet18' : 'tiny_cnn';
}

/** The backbone of that name, or undefined. */
export function findBackbone(name: string): BackboneName | undefined {
  return BACKBONES.find((backbone) => backbone === name);
}
