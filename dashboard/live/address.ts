/** As the gateway takes it: a mail address, or what another system calls the person (`Practitioner/12`, `https://id.example|4711`). */
const ADDRESS = /^(?:[^\s@]+@[^\s@]+\.[^\s@]+|[A-Za-z]+\/[A-Za-z0-9.-]+|[^\s|]*\|[^\s|]+)$/;
const ADDRESS_MOST = 254;

export const isAddress = (text: string): boolean => text.length <= ADDRESS_MOST && ADDRESS.test(text);
