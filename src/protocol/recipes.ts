import { AUGMENTATIONS } from './augmentation';
import { BACKBONES } from './backbones';
import { DIT } from './dit';
import type { RecipeSpec } from './parameters';
import { SAMPLE_DATA_SET } from './sampleDataSet';

export { DIT } from './dit';
export { SAMPLE_DATA_SET } from './sampleDataSet';

/** The design's `train_classifier`: its parameters, names and defaults, and some more. */
export const CLASSIFIER: RecipeSpec = {
  name: 'classifier',
  title: 'Image classifier',
  description: 'Trains an image classifier on a folder of images, one sub-folder for each class.',
  parameters: [
    {
      name: 'data_dir',
      type: 'folder',
      default: SAMPLE_DATA_SET,
      description:
        'Folder of images with one sub-folder for each class, or "sample" for the drawn sample cats',
    },
    {
      name: 'epochs',
      type: 'integer',
      default: 10,
      minimum: 1,
      maximum: 10_000,
      description: 'Passes over the data',
    },
    {
      name: 'batch_size',
      type: 'integer',
      default: 32,
      minimum: 1,
      maximum: 4096,
      description: 'Images for each step',
    },
    {
      name: 'lr',
      type: 'number',
      default: 1e-4,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 10,
      description: 'Highest learning rate, reached after the warm-up',
    },
    {
      name: 'backbone',
      type: 'choice',
      default: 'auto',
      choices: ['auto', ...BACKBONES],
      description: 'Network under the classification head; auto: resnet18 on a GPU, else tiny_cnn',
    },
    {
      name: 'output',
      type: 'text',
      default: '',
      description:
        'Where in the outputs volume to copy the best checkpoint (.safetensors); empty: only in the run',
    },
    {
      name: 'num_workers',
      type: 'integer',
      default: 0,
      minimum: 0,
      maximum: 64,
      description: 'Data loading workers; 0 loads in the trainer',
    },
    {
      name: 'pretrained',
      type: 'weights',
      default: true,
      description:
        'Start from weights trained on ImageNet where the backbone has them, or from those in a .safetensors, .pt or .pth file',
    },
    {
      name: 'mixed_precision',
      type: 'boolean',
      default: true,
      description: 'Compute in half precision where the engine has it',
    },
    {
      name: 'gradient_clip',
      type: 'number',
      default: 1,
      minimum: 0,
      description: 'Largest global norm of the gradients; 0 does not clip',
    },
    {
      name: 'warmup_epochs',
      type: 'integer',
      default: 2,
      minimum: 0,
      maximum: 10_000,
      description: 'Epochs in which the learning rate grows linearly',
    },
    {
      name: 'seed',
      type: 'integer',
      default: 42,
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'Seed of split, weights, order and augmentation',
    },
    {
      name: 'image_size',
      type: 'integer',
      default: 64,
      minimum: 8,
      maximum: 512,
      description: 'Side of the square images, in pixels',
    },
    {
      name: 'val_split',
      type: 'number',
      default: 0.2,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      exclusiveMaximum: true,
      description: 'Share of each class held back for validation',
    },
    {
      name: 'augmentation',
      type: 'choice',
      default: 'basic',
      choices: [...AUGMENTATIONS],
      description:
        'How training images are varied; basic: mirrored and moved, standard: cropped and in other colours, advanced: turned, scaled and sheared too',
    },
    {
      name: 'early_stopping_patience',
      type: 'integer',
      default: 0,
      minimum: 0,
      maximum: 10_000,
      description: 'End after so many epochs without a better validation accuracy; 0 trains them all',
    },
    {
      name: 'init_from',
      type: 'path',
      default: '',
      description: 'Checkpoint, or id of a run, whose weights to start from',
    },
    {
      name: 'resume',
      type: 'path',
      default: '',
      description:
        'Id or folder of a run to go on with, exactly where it ended; its parameters are used again',
    },
  ],
};

/** In the order in which they are offered. */
export const RECIPES: readonly RecipeSpec[] = [CLASSIFIER, DIT];

/** The recipe of that name, or undefined. */
export function findRecipe(name: string): RecipeSpec | undefined {
  return RECIPES.find((recipe) => recipe.name === name);
}
