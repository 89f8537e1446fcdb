import assert from 'node:assert/strict';
import { Following } from '../container/support/following';
import { Place } from '../container/support/place';
import { needsTorch } from './support/interpreters';

describe('a container whose recipes are in PyTorch', () => {
  let interpreter = '';
  let place: Place | undefined;
  before(async function () {
    interpreter = await needsTorch(this);
    place = await Place.make();
  });
  after(async () => {
    await place?.dispose();
  });

  it('trains on the sample, which it draws before the first run', async () => {
    assert.ok(place);
    const params = {
      data_dir: 'sample',
      backbone: 'mobilenet_v3_small',
      pretrained: false,
      epochs: 1,
      image_size: 32,
    };
    const options = place.options({
      engine: 'auto',
      hint: { recipe: 'classifier', params, program: { kind: 'torch', interpreter } },
    });
    const client = place.client();
    const run = new Following(client, await client.train('classifier', params, options));
    const { status, error } = await run.result();
    assert.equal(status, 'completed', error?.message);
    assert.deepEqual(
      run.all('dataset')[0]?.classes.map(({ images }) => images),
      [300, 300],
    );
  });
});
