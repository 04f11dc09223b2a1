// Just enough of both wire protocols to use a server the way a client would, without a client library: this package may
// import none. One request, one answer, hang up.
import { connect } from "node:net"

/** Sends protocol lines after logging in and yields what came back up to the first text that `until` matches. */
export const natsTalk = (port: number, user: string, password: string, lines: string, until: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port })
    let received = ""
    socket
      .setEncoding("utf8")
      .setTimeout(5_000, () => socket.destroy(new Error(`waited for ${until}, got ${received}`)))
    socket.on("connect", () => {
      const login = { verbose: false, pedantic: false, headers: true, user, pass: password }
      socket.write(`CONNECT ${JSON.stringify(login)}\r\n${lines}PING\r\n`)
    })
    socket.on("data", text => {
      received += text
      if (!until.test(received)) return
      socket.destroy()
      resolve(received)
    })
    socket.on("error", reject)
  })

/** A JetStream request and its answer's JSON. */
export const jetStream = async (port: number, password: string, subject: string, body: unknown) => {
  const text = JSON.stringify(body)
  const lines = `SUB _INBOX.t 1\r\nPUB ${subject} _INBOX.t ${Buffer.byteLength(text)}\r\n${text}\r\n`
  const received = await natsTalk(port, "sluice", password, lines, /MSG _INBOX\.t[^\r]*\r\n.*\r\n/)
  return JSON.parse(/MSG _INBOX\.t[^\r]*\r\n(.*)\r\n/.exec(received)?.[1] ?? "null")
}
