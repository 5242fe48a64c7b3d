/** The part of `docs/compatibility.md` on what speaks to a pod that runs. */
export const kubectlPage = `## exec, cp, attach, port-forward

The node's relay serves them over SPDY and WebSocket, as an API server of any version asks. ACI starts one word behind a terminal and shows no exit
code ([aci.md](aci.md)). In a container whose program the agent starts, that word is the agent, and it does what a kubelet does ([adr/0028](adr/0028-streams-through-the-agent.md)); elsewhere a command is typed, as a script, into the image's
\`/bin/sh\` ([adr/0022](adr/0022-streams-without-an-agent.md)).

With the agent:

| Asked for | What happens |
|---|---|
| \`exec\`: command, exit code, stdout, stderr | as with a kubelet; a command that a signal ends has 128 and its number. No shell is needed. Arguments that are no UTF-8 go by the shell |
| stdin, \`-i\` | byte for byte, at the speed of the way, and its end |
| a terminal, \`-t\` | of the size of the window, which it follows |
| environment, folder, user | those of the container's program, what the agent has set included |
| a client that goes | its command is ended by SIGHUP, and by SIGKILL two seconds later |
| \`attach\`, \`run -it\` | where the container has \`stdin\` or \`tty\`: its program's own input, output and errors, and the window's size; with \`stdinOnce\` the input ends with the first client. Who takes nothing for 10 s is let go of |
| \`port-forward\` | in a subnet as below; without one by the agent, to what listens on 127.0.0.1 or ::1, all connections over one session |

Without it, and in its containers that the agent does not start:

| Asked for | What happens |
|---|---|
| \`exec\`: command and arguments | as they are, byte for byte; the program is looked for in the container's \`$PATH\`, and a builtin of the shell is none. An image without \`/bin/sh\` has no exec, and that is said |
| its exit code | the command's own, 128 and the number of a signal that ended it. Where the session is cut first, nobody knows it, and that is said |
| stdout and stderr, without \`-t\` | apart, as they are; programs see no terminal. Errors arrive line by line, so one without an end of line waits for it or for the end; a NUL in them is lost. The image's \`cat\` is used where it is there |
| stdin, \`-i\` without \`-t\` | byte for byte, and its end. Some hundred kilobytes a second at best, less over a long way: each line is answered before many more are sent. The image needs \`stty\`; without it that is said |
| a terminal, \`-t\` | a real one, of the size that the window has at the start; it keeps that size when the window changes. What is typed passes as it is |
| an image without \`stty\` | output without \`-t\` passes the terminal as well: \`\\r\\n\` comes as \`\\n\`, and a line on stderr says so |
| environment, folder, user | the container's; the shell adds \`PWD\` and its like. With an \`ENV\` in the image the shell reads that file first |
| a client that goes | its command learns that nothing follows; one that neither reads nor writes goes on, as with a kubelet |
| \`cp\` | by \`tar\` in the image, both ways; slow for large files, as stdin is |
| \`attach\`, \`run -it\` | what the container writes from now on, until it ends; nobody can write to it: input is dropped, and a line on stderr says so |
| \`port-forward\` | in a subnet, from the relay to the pod's address: what listens on 127.0.0.1 alone is not reached, which a kubelet reaches. Without a subnet the pod has no address: refused |
| \`debug\` | an ephemeral container is shown as \`StartError\` (above); \`debug --copy-to\` is a pod like any |
| a container that does not run | \`container not found\`, as with a kubelet, and why it does not |
| how many | 100 sessions for each replica of the relay; more are answered 429. One on which nothing is said for 4 hours ends, as does each when the relay is replaced. Azure's limits for sessions are a fifth of its writes: beyond, a client waits up to 15 s |

`;
