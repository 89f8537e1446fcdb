import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { Paced } from '../../../src/host/history/paced';

describe('what is done at a pace', () => {
  let done = 0;
  let paced: Paced;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    done = 0;
    paced = new Paced(() => (done += 1), 300);
  });
  afterEach(() => mock.timers.reset());

  it('is done at once the first time, and again after a rest', () => {
    paced.ask();
    assert.equal(done, 1);
    mock.timers.tick(300);
    paced.ask();
    assert.equal(done, 2);
  });

  it('is done all along while it is asked without a rest, and once more after the last time', () => {
    for (let ms = 0; ms < 3000; ms += 50) {
      paced.ask();
      mock.timers.tick(50);
    }
    assert.equal(done, 11);
    mock.timers.tick(10_000);
    assert.equal(done, 11);
  });

  it('is not done any more when nobody is there to see it', () => {
    paced.ask();
    paced.ask();
    paced.dispose();
    mock.timers.tick(10_000);
    assert.equal(done, 1);
  });
});
