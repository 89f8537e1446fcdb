/** Starts the container of a volume and says which one it got. Arguments: bundle, outputs and data folder. */
import { ContainerClient } from '../../../src/client/containerClient';
import { LocalTarget } from '../../../src/targets/local/localTarget';
import { OutputsVolume } from '../../../src/volume/outputsVolume';

const [bundleDir = '', outputsDir = '', dataDir = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const target = LocalTarget.open({ bundleDir, outputsDir, dataDir });
  const client = new ContainerClient(target, new OutputsVolume(outputsDir), 'starter');
  const { containerId } = await client.start({
    engine: 'auto',
    port: 0,
    settings: { scaledownWindowMs: 60_000, keepDates: 5 },
    hint: { recipe: 'classifier', params: { image_size: 16 } },
  });
  console.log(containerId);
  // Nothing may keep the process once the client is closed.
  client.dispose();
}

void main();
