// Package environment makes the environment of a program from the container's and the orders'.
package environment

import (
	"fmt"
	"strings"

	"serverless-kubelet.local/agent/internal/orders"
)

// Environment is a list of NAME=VALUE in which each name that was set is once.
type Environment struct {
	list []string
	at   map[string]int
}

// New takes a list as execve does: of a name that is there twice the first counts, and all stay where they are.
func New(list []string) *Environment {
	env := &Environment{list: append([]string(nil), list...), at: make(map[string]int, len(list))}
	for index, entry := range list {
		name, _, ok := strings.Cut(entry, "=")
		if _, known := env.at[name]; ok && !known {
			env.at[name] = index
		}
	}
	return env
}

// List is what execve takes.
func (e *Environment) List() []string { return e.list }

// Get is the value of a name.
func (e *Environment) Get(name string) (string, bool) {
	index, known := e.at[name]
	if !known {
		return "", false
	}
	return e.list[index][len(name)+1:], true
}

// Set gives a name a value, in its place or at the end.
func (e *Environment) Set(name, value string) {
	if index, known := e.at[name]; known {
		e.list[index] = name + "=" + value
		return
	}
	e.at[name] = len(e.list)
	e.list = append(e.list, name+"="+value)
}

// Addresses are the pod's, the first one being its podIP.
type Addresses func() ([]string, error)

// Apply sets the variables of the orders in their order. What it returns looks up those alone, for templates: all else
// the app has written out.
func (e *Environment) Apply(variables []orders.Variable, addresses Addresses) (func(string) (string, bool), error) {
	set := make(map[string]string, len(variables))
	lookup := func(name string) (string, bool) { value, known := set[name]; return value, known }
	for _, variable := range variables {
		value := variable.Value.Expand(lookup)
		if variable.Field != "" {
			ips, err := addresses()
			if err != nil {
				return nil, fmt.Errorf("env %s: %s: %w", variable.Name, variable.Field, err)
			}
			value = fieldValue(variable.Field, ips)
		}
		set[variable.Name] = value
		e.Set(variable.Name, value)
	}
	return lookup, nil
}

func fieldValue(field string, ips []string) string {
	if field == orders.FieldPodIPs {
		return strings.Join(ips, ",")
	}
	return ips[0]
}
