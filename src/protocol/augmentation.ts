/** How far training images are varied, each level doing what the one before it does too. */
export const AUGMENTATIONS = ['basic', 'standard', 'advanced'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];
