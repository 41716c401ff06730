/** The reader of XML: against fast-xml-parser as a witness, against what is not well-formed, and against the clock. */
import { setImmediate as breath } from 'node:timers/promises';
import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { decodeXml, readMultistatus } from '../../../gateway/calendars/caldav/multistatus.ts';
import { isXmlFault, readXml, XML_LIMITS, type XmlElement } from '../../../gateway/calendars/caldav/xml.ts';

const ok = async (source: string): Promise<XmlElement> => {
  const read = await readXml(source);
  if (isXmlFault(read)) throw new Error(read.fault);
  return read;
};

describe('what is read', () => {
  it('knows namespaces by their names, wherever they are declared', async () => {
    const read = await ok('<a xmlns="u:1"><b:c xmlns:b="u:2" b:d="1" e="2"><f xmlns=""/></b:c><g/></a>');
    expect(read.name).toBe('{u:1}a');
    expect(read.children.map(({ name }) => name)).toEqual(['{u:2}c', '{u:1}g']);
    expect(read.children[0]?.attributes).toEqual(expect.objectContaining({ '{u:2}d': '1', e: '2' }));
    expect(read.children[0]?.children[0]?.name).toBe('f');
  });

  it('takes text as it is meant: entities, references, CDATA, line ends', async () => {
    const read = await ok('<a>x &lt;&amp;&gt;&quot;&apos; &#65;&#x1F600;&#13;\r\n<![CDATA[<b>&amp;]]>\ry</a>');
    expect(read.text).toBe(`x <&>"' A😀\r\n<b>&amp;\ny`);
  });

  it('passes over comments and instructions', async () => {
    const read = await ok('\uFEFF<?xml version="1.0"?><!-- <x> --><a><!-- > --><?p <y> ?>t</a>\n<!-- end -->');
    expect(read.text).toBe('t');
  });

  it.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>text',
    '<a',
    '<a b/>',
    '<a b=c/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a>&x;</a>',
    '<a>&toString;</a>',
    '<a>& </a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a>&#99999999;</a>',
    '<a><![CDATA[</a>',
    '<a><!-- </a>',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<b:a/>',
    '</a>',
    '< a/>',
  ])('%j is a fault', async (source) => {
    expect(isXmlFault(await readXml(source))).toBe(true);
  });

  it('holds to its limits', async () => {
    const { maxDepth, maxAttributes } = XML_LIMITS;
    expect(isXmlFault(await readXml('<a>'.repeat(maxDepth) + '</a>'.repeat(maxDepth)))).toBe(false);
    expect(isXmlFault(await readXml('<a>'.repeat(maxDepth + 1) + '</a>'.repeat(maxDepth + 1)))).toBe(true);
    const attributes = Array.from({ length: maxAttributes + 1 }, (_, at) => `a${at}="1"`).join(' ');
    expect(isXmlFault(await readXml(`<a ${attributes}/>`))).toBe(true);
    expect(isXmlFault(await readXml('<a><b/><b/></a>', { ...XML_LIMITS, maxElements: 2 }))).toBe(true);
    expect(isXmlFault(await readXml(`<a b="${'x'.repeat(100_000)}"/>`))).toBe(true);
  });

  it('says the same as fast-xml-parser on any document', async () => {
    const witness = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      parseTagValue: false,
      trimValues: false,
    });
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '&', '<', '>', '"', ' ', ']', '\n'),
      maxLength: 12,
    });
    const names = fc.constantFrom('a', 'b-c', 'd.e', '_f');
    const element = (inner: fc.Arbitrary<string>) =>
      fc
        .tuple(names, text, fc.array(fc.tuple(fc.boolean(), text, inner), { maxLength: 3 }))
        .map(([name, value, parts]) => {
          const written = parts.map(([cdata, part, child]) =>
            cdata ? `<![CDATA[${part.replaceAll(']', '')}]]>${child}` : named(part) + child,
          );
          return `<${name} x="${named(value)}">${written.join('')}</${name}>`;
        });
    const tree = element(element(element(element(fc.constant('')))));
    await fc.assert(
      fc.asyncProperty(tree, async (source) => {
        expect(shape(await ok(source))).toEqual(shapeOfWitness(witness.parse(source)[0]));
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, whatever it is given', async () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ':',
      '"',
      "'",
      '=',
      '&',
      ';',
      '#',
      'x',
      '<!',
      '[CDATA[',
      ']]>',
      '--',
      '?',
      ' ',
      'xmlns',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        await readMultistatus(pieces.join(''));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** With the five entities that every parser knows. */
function named(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function shape(element: XmlElement): unknown {
  return [element.name, element.attributes.x, element.text, element.children.map(shape)];
}
function shapeOfWitness(node: Record<string, unknown>): unknown {
  const name = Object.keys(node).find((key) => key !== ':@') ?? '';
  const inner = node[name] as Record<string, unknown>[];
  const text = inner.map((child) => child['#text'] ?? '').join('');
  const attributes = node[':@'] as Record<string, string>;
  return [name, attributes.x, text, inner.filter((child) => !('#text' in child)).map(shapeOfWitness)];
}

/** How often others had their turn while it was read. */
async function turnsDuring(source: string): Promise<number> {
  let turns = 0;
  let done = false;
  const reading = readXml(source).then((read) => {
    done = true;
    return read;
  });
  for (; !done; turns += 1) await breath();
  expect(isXmlFault(await reading)).toBe(false);
  return turns;
}

describe('time', () => {
  it.each([
    ['many elements', `<a>${'<b c="d">e</b>'.repeat(100_000)}</a>`],
    ['entities of one text', `<a>${'&#13;&lt;'.repeat(200_000)}</a>`],
  ])('%s are read in small steps', async (_what, source) => {
    // In one go it would be one or two; how long each takes is the bench's matter.
    expect(await turnsDuring(source)).toBeGreaterThan(3);
  });
});

describe('bytes to text', () => {
  const xml = '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>';
  it.each([
    ['by Content-Type', Buffer.from('<a>é</a>', 'latin1'), 'text/xml; charset=ISO-8859-1', '<a>é</a>'],
    ['by the declaration', Buffer.from(xml, 'latin1'), 'application/xml', xml],
    ['as UTF-8 otherwise', Buffer.from('<a>é</a>'), undefined, '<a>é</a>'],
    ['as UTF-16 by its mark', Buffer.from('\uFEFF<a>é</a>', 'utf16le'), 'application/xml', '<a>é</a>'],
  ])('%s', (_what, body, type, expected) => {
    expect(decodeXml(body, type)).toBe(expected);
  });
  it('not at all when they are not what they claim', () => {
    expect(decodeXml(Buffer.from([0x3c, 0xff, 0xfe]), undefined)).toBeUndefined();
    expect(decodeXml(Buffer.from('<a/>'), 'text/xml; charset=klingon')).toBeUndefined();
  });
});
