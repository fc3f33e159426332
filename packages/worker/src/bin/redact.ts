/** `text` without the user and password of the URLs in it. */
export function redact(text: string): string {
  return text.replace(
    /\b(rediss?:\/\/)(?!\[user)\S*@|\b([a-z][a-z\d+.-]*:\/\/)[^\s/]*@/gi,
    (_, redis?: string, other?: string) => `${redis ?? other}***@`,
  );
}
