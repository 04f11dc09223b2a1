// Comparing the version a server program prints with the least one Sluice works with. Only the first two numbers count:
// both servers promise that patches change no behaviour.

/** The first dotted number in a text such as "nats-server: v2.15.1" or "postgres (PostgreSQL) 15.18 (Debian …)". */
export const versionIn = (text: string): string | undefined => /\d+(\.\d+)+/.exec(text)?.[0]

export const atLeast = (version: string, least: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

export const majorOf = (version: string): number => Number(version.split(".")[0])
