import assert from 'node:assert/strict';
import { DataError, type DataErrorCode } from '../../../src/container/data/dataError';
import { createDecoder, type Decode } from '../../../src/container/data/decodeImage';
import { encodePng } from '../../../src/container/data/pngEncode';
import {
  makeJpeg,
  makePng,
  makeWasmDir,
  makeWebp,
  pixels,
  temporaryFolder,
  withOrientation,
} from './fixtures';

const gradient = (x: number, y: number): [number, number, number] => [x * 5, y * 5, 90];

describe('createDecoder', () => {
  const temporary = temporaryFolder();
  let decode: Decode;
  before(() => {
    decode = createDecoder(makeWasmDir(temporary.path));
  });
  after(() => temporary.remove());

  async function refuses(bytes: Uint8Array, code: DataErrorCode = 'corrupt-image'): Promise<void> {
    await assert.rejects(decode(bytes), (error) => {
      assert.ok(error instanceof DataError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
  }

  function assertNear(actual: Uint8ClampedArray, expected: ArrayLike<number>, tolerance: number): void {
    assert.equal(actual.length, expected.length);
    for (let i = 0; i < actual.length; i++) {
      assert.ok(
        Math.abs((actual[i] ?? 0) - (expected[i] ?? 0)) <= tolerance,
        `value ${i}: ${actual[i]}, ${expected[i]}`,
      );
    }
  }

  describe('of bad bytes', () => {
    it('refuses an empty file and one that is no image', async () => {
      await refuses(new Uint8Array(0));
      await refuses(Buffer.from('not a picture at all'), 'unsupported-image');
      await refuses(Buffer.from('GIF89a and more of it'), 'unsupported-image');
      await refuses(Buffer.from([0xff]), 'unsupported-image');
      await refuses(Buffer.from([0xff, 0xd8]));
    });

    it('refuses every image that is cut off, wherever', async () => {
      const images = [
        await makeJpeg(40, 30, gradient),
        await makeWebp(40, 30, gradient),
        encodePng(40, 30, new Uint8Array(3600)),
      ];
      for (const image of images) {
        for (const share of [0.25, 0.3, 0.5, 0.9, 0.99])
          await refuses(image.subarray(0, Math.floor(image.length * share)));
      }
    });

    it('refuses damage in the middle of a PNG', async () => {
      const png = encodePng(
        40,
        30,
        Uint8Array.from({ length: 3600 }, (_, i) => (i * i) & 255),
      );
      png[200] = (png[200] ?? 0) ^ 1;
      await refuses(png);
    });

    it('refuses a PNG whose rows are missing, too many or wrongly filtered', async () => {
      const grey = { width: 2, height: 2, depth: 8, colourType: 0 };
      await refuses(makePng({ ...grey, rows: [0, 1, 2] }));
      await refuses(makePng({ ...grey, rows: [0, 1, 2, 0, 1, 2, 0, 1, 2] }));
      await refuses(makePng({ ...grey, rows: [0, 1, 2, 9, 1, 2] }));
      await refuses(makePng({ ...grey, depth: 3, rows: [0, 1, 2, 0, 1, 2] }));
      await refuses(makePng({ ...grey, colourType: 3, rows: [0, 1, 2, 0, 1, 2] }));
      await refuses(makePng({ ...grey, width: 0, rows: [0, 0] }));
    });

    it('refuses an absurd size before allocating it', async () => {
      await refuses(
        makePng({ width: 60000, height: 60000, depth: 8, colourType: 2, rows: [0] }),
        'image-too-large',
      );
      const jpeg = await makeJpeg(16, 16, gradient);
      const frame = jpeg.findIndex((byte, i) => byte === 0xff && [0xc0, 0xc2].includes(jpeg[i + 1] ?? 0));
      jpeg.writeUInt16BE(60000, frame + 5);
      jpeg.writeUInt16BE(60000, frame + 7);
      await refuses(jpeg, 'image-too-large');
    });

    it('refuses a CMYK JPEG and says what to do', async () => {
      const header = Buffer.from('ffd8ffc0001408001000100401110002110003110004110000', 'hex');
      await refuses(header, 'unsupported-image');
    });

    it('decodes good images after any number of bad ones', async () => {
      const jpeg = await makeJpeg(16, 16, gradient);
      const webp = await makeWebp(16, 16, gradient);
      for (let i = 0; i < 30; i++) {
        const bad = Buffer.from(jpeg);
        // Past the frame header: an unknown marker makes the codec give up.
        bad.fill(0xff, jpeg.length - 40, jpeg.length - 20);
        bad.fill(i, jpeg.length - 20);
        await assert.rejects(decode(bad), DataError);
        const badWebp = Buffer.from(webp);
        badWebp.fill(i * 8, 26);
        await decode(badWebp).catch((error: unknown) => assert.ok(error instanceof DataError));
      }
      assert.equal((await decode(jpeg)).width, 16);
      assertNear((await decode(webp)).data, pixels(16, 16, gradient), 0);
    });

    it('says which file is missing when a codec cannot be loaded', async () => {
      const broken = createDecoder(temporary.path);
      await assert.rejects(
        broken(await makeJpeg(8, 8, gradient)),
        /jpeg decoder cannot be loaded.*mozjpeg_dec\.wasm/,
      );
    });
  });

  it('decodes JPEG, colour and grey', async () => {
    const colour = await decode(await makeJpeg(40, 30, gradient));
    assert.deepEqual([colour.width, colour.height], [40, 30]);
    assertNear(colour.data, pixels(40, 30, gradient), 14);
    const grey = await decode(await makeJpeg(16, 16, (x) => [x * 10, x * 10, x * 10], true));
    assertNear(
      grey.data,
      pixels(16, 16, (x) => [x * 10, x * 10, x * 10]),
      6,
    );
  });

  it('turns a JPEG as its EXIF orientation says', async () => {
    const half = await makeJpeg(32, 16, (x) => (x < 16 ? [255, 0, 0] : [0, 0, 255]));
    const turned = await decode(withOrientation(half, 6));
    assert.deepEqual([turned.width, turned.height], [16, 32]);
    assert.ok((turned.data[0] ?? 0) > 200, 'red is on top');
    assert.ok((turned.data[turned.data.length - 2] ?? 0) > 200, 'blue is at the bottom');
  });

  it('decodes lossless WebP to the same pixels', async () => {
    const image = await decode(await makeWebp(19, 7, gradient));
    assert.deepEqual([image.width, image.height], [19, 7]);
    assertNear(image.data, pixels(19, 7, gradient), 0);
  });

  describe('of PNG', () => {
    const decoded = async (parts: Parameters<typeof makePng>[0]): Promise<number[]> => [
      ...(await decode(makePng(parts))).data,
    ];

    it('decodes what our own encoder wrote', async () => {
      const rgb = Uint8Array.from({ length: 9 * 5 * 3 }, (_, i) => (i * 37) & 255);
      const { data } = await decode(encodePng(9, 5, rgb));
      assert.deepEqual([...data.filter((_, i) => i % 4 < 3)], [...rgb]);
    });

    it('undoes every row filter', async () => {
      const rows = [0, 10, 20, 30, 1, 10, 10, 10, 2, 1, 1, 1, 3, 5, 5, 5, 4, 1, 2, 3];
      const grey = await decoded({ width: 3, height: 5, depth: 8, colourType: 0, rows });
      assert.deepEqual(
        grey.filter((_, i) => i % 4 === 0),
        [10, 20, 30, 10, 20, 30, 11, 21, 31, 10, 20, 30, 11, 22, 33],
      );
    });

    it('spreads low depths and keeps the high byte of 16 bits', async () => {
      const bits = await decoded({ width: 3, height: 1, depth: 1, colourType: 0, rows: [0, 0b10100000] });
      assert.deepEqual(bits, [255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255]);
      const four = await decoded({ width: 2, height: 1, depth: 4, colourType: 0, rows: [0, 0x5f] });
      assert.deepEqual([four[0], four[4]], [85, 255]);
      const wide = await decoded({
        width: 1,
        height: 1,
        depth: 16,
        colourType: 2,
        rows: [0, 1, 2, 3, 4, 5, 6],
      });
      assert.deepEqual(wide, [1, 3, 5, 255]);
    });

    it('looks palette colours and their alpha up', async () => {
      const palette = [255, 0, 0, 0, 255, 0, 0, 0, 255];
      const rows = [0, 0b00011000];
      assert.deepEqual(
        await decoded({
          width: 3,
          height: 1,
          depth: 2,
          colourType: 3,
          rows,
          palette,
          transparency: [255, 128],
        }),
        [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 255],
      );
    });

    it('keeps alpha, as a channel and as one transparent colour', async () => {
      assert.deepEqual(
        await decoded({ width: 1, height: 1, depth: 8, colourType: 6, rows: [0, 1, 2, 3, 4] }),
        [1, 2, 3, 4],
      );
      assert.deepEqual(
        await decoded({ width: 1, height: 1, depth: 8, colourType: 4, rows: [0, 7, 9] }),
        [7, 7, 7, 9],
      );
      const rows = [0, 1, 2, 3, 1, 2, 4];
      assert.deepEqual(
        await decoded({
          width: 2,
          height: 1,
          depth: 8,
          colourType: 2,
          rows,
          transparency: [0, 1, 0, 2, 0, 3],
        }),
        [1, 2, 3, 0, 1, 2, 4, 255],
      );
    });

    it('puts interlaced pixels where they belong', async () => {
      // A 3 x 3 image has pixels in passes 1, 4, 5, 6 and 7 of Adam7.
      const rows = [0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6];
      const grey = await decoded({ width: 3, height: 3, depth: 8, colourType: 0, interlaced: true, rows });
      assert.deepEqual(
        grey.filter((_, i) => i % 4 === 0),
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });
  });
});
