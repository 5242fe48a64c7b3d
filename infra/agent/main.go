// The agent: what a kubelet does beside a container, done inside a container group. README.md has its formats.
package main

import (
	"os"
	"path/filepath"

	"serverless-kubelet.local/agent/internal/control"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/install"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/run"
	"serverless-kubelet.local/agent/internal/session"
	"serverless-kubelet.local/agent/internal/word"
)

const defaultOrders = "/.sk-orders/orders"

// links are the subcommands that have a word of their own, by the name that the program is called by.
var links = map[string]string{"x": "exec", "f": "forward", "d": "drain", "r": "refresh", "s": "status"}

func main() {
	os.Exit(dispatch(os.Args))
}

func dispatch(args []string) int {
	name, known := links[filepath.Base(args[0])]
	rest := args[1:]
	if !known {
		if len(rest) == 0 {
			return fault.Own
		}
		name, rest = rest[0], rest[1:]
	}
	file := defaultOrders
	if len(rest) > 0 {
		file = rest[0]
	}
	switch name {
	case install.CheckCommand:
		return 0
	case launch.ChildCommand:
		return launch.Child()
	case "install":
		return install.Run(file, install.InGroup)
	case "run":
		return run.Run(file)
	case "exec":
		return session.Exec(file, os.Stdin, os.Stdout)
	case "forward":
		return session.Forward(os.Stdin, os.Stdout)
	case control.Drain:
		return word.Drain(file, os.Stdin, os.Stdout)
	case control.Refresh:
		return word.Refresh(file, os.Stdout)
	case control.Status:
		return word.Ask(file, name, os.Stdout)
	default:
		return fault.Own
	}
}
