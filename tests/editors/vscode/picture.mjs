// Pictures that know what they show: a PNG of a window carries the text that stood in it, so that a test can see whether the
// picture is still true without comparing pixels, which differ with fonts and versions.
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

// PNG, 5.3 and 11.3.4.5: length, type, data, checksum; an iTXt chunk is keyword, compression, language, translation, text.
const SIGNATURE_BYTES = 8;
const TYPE = 'iTXt';
const HEAD = Buffer.from('Description\0\0\0\0\0', 'latin1');

function* chunks(png) {
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const bytes = png.readUInt32BE(at);
    yield { at, type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + bytes) };
    at += bytes + 12;
  }
}

/** Takes a picture of a page and writes `text` into it. */
export async function takePicture(page, path, text) {
  const png = await page.screenshot();
  const body = Buffer.concat([Buffer.from(TYPE), HEAD, Buffer.from(text)]);
  const length = Buffer.alloc(4), checksum = Buffer.alloc(4);
  length.writeUInt32BE(body.length - TYPE.length);
  checksum.writeUInt32BE(crc32(body));
  const end = [...chunks(png)].find(({ type }) => type === 'IEND').at;
  writeFileSync(path, Buffer.concat([png.subarray(0, end), length, body, checksum, png.subarray(end)]));
}

/** The text that a picture carries; undefined for one without. */
export function describePicture(path) {
  const found = [...chunks(readFileSync(path))].find(({ type }) => type === TYPE);
  return found?.data.subarray(HEAD.length).toString();
}
