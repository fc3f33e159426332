/**
 * How long a test waits for what must happen, in ms. It ends tests that hang, and says nothing
 * about speed: a busy machine needs a small part of it.
 */
export const hangTimeout = 120_000;
