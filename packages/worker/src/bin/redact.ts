/** `text` without the user and password of the URLs in it; the form of a URL that an error shows stays as it is. */
export function redact(text: string): string {
  return text.replace(
    /\b(rediss?:\/\/)(?!\[user:password@\])\S*@|\b(?!rediss?:)([a-z][a-z\d+.-]*:\/\/)[^\s/]*@/gi,
    (_, redis?: string, other?: string) => `${redis ?? other}***@`,
  );
}
