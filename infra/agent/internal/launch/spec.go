// Package launch starts one process as the orders say: folder, user, capabilities, command. In exec mode the agent
// becomes that process; otherwise a fresh process of the agent does.
package launch

import (
	"fmt"
	"time"

	"serverless-kubelet.local/agent/internal/accounts"
	"serverless-kubelet.local/agent/internal/address"
	"serverless-kubelet.local/agent/internal/environment"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
)

// Spec is all that is known of a process before it is one.
type Spec struct {
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
	// Dir is the folder to start in, made where it is missing; empty: the present one.
	Dir             string        `json:"dir,omitempty"`
	User            *Credential   `json:"user,omitempty"`
	Capabilities    *Capabilities `json:"capabilities,omitempty"`
	NoNewPrivileges bool          `json:"noNewPrivileges,omitempty"`
}

// With is the same with another command: of a probe, a hook or an exec.
func (s Spec) With(argv []string) Spec {
	s.Argv = argv
	return s
}

// addressPatience is how long a start waits for the pod's address where something asks for it.
const addressPatience = 5 * time.Second

// Prepared is a program that is ready to be launched.
type Prepared struct {
	Spec
	// Lookup has the variables that the orders set, for further templates.
	Lookup func(name string) (string, bool)
}

// Prepare makes the process of the container's program from its orders and the environment that the container has.
func Prepare(program *orders.Program, base []string) (Prepared, *fault.Start) {
	env := environment.New(base)
	lookup, err := env.Apply(program.Env, func() ([]string, error) { return address.Await(addressPatience) })
	if err != nil {
		return Prepared{}, fault.Config(err.Error())
	}
	prepared := Prepared{Lookup: lookup}
	for _, word := range program.Argv {
		prepared.Argv = append(prepared.Argv, word.Expand(lookup))
	}
	prepared.Dir = program.WorkingDir.Expand(lookup)
	prepared.NoNewPrivileges = program.NoNewPrivileges
	var start *fault.Start
	if prepared.User, start = credentialOf(program.User); start != nil {
		return Prepared{}, start
	}
	if prepared.Capabilities, err = capabilitiesOf(program.Capabilities); err != nil {
		return Prepared{}, fault.Config(err.Error())
	}
	if program.SetHome {
		env.Set("HOME", homeOf(prepared.User))
	}
	prepared.Env = env.List()
	return prepared, nil
}

// homeOf is the folder that container runtimes put into HOME.
func homeOf(credential *Credential) string {
	uid := currentCredential().UID
	if credential != nil {
		uid = credential.UID
	}
	if user, _, known := accounts.Lookup(uid); known && user.Home != "" {
		return user.Home
	}
	return "/"
}

func refused(field string, format string, args ...any) *fault.Start {
	return fault.Config(field + ": " + fmt.Sprintf(format, args...))
}
