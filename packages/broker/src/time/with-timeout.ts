/** What `promise` gives, or what `late` gives or throws if it has not settled after `deadline` ms; what it comes to after that is dropped. */
export async function withTimeout<T>(promise: Promise<T>, deadline: number, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadline);
  });
  try {
    return await Promise.race([promise, timeout.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
