/**
 * Settles as `promise` does, or as `late` does if the promise has not settled after `deadline` ms.
 * A later outcome of the promise is dropped.
 */
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
