// Package prepare does for one container what has to be done before its program starts.
package prepare

import (
	"fmt"
	"os"
	"time"

	"serverless-kubelet.local/agent/internal/address"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/hosts"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/subpath"
)

const (
	hostsFile    = "/etc/hosts"
	hostnameFile = "/etc/hostname"
	patience     = 5 * time.Second
)

// Container makes the process of the program and puts everything into its place. What is said beside it is what could
// not be done and does not keep the program from running.
func Container(container *orders.Container) (launch.Prepared, []string, *fault.Start) {
	prepared, start := launch.Prepare(&container.Program, os.Environ())
	if start != nil {
		return launch.Prepared{}, nil, start
	}
	// A container has processes of its own, and its first one is in a root file system of its own.
	places := subpath.Container{Name: container.Container, MayEmpty: os.Getpid() == 1}
	for _, one := range container.SubPaths {
		if start := places.Apply(one, prepared.Lookup); start != nil {
			return launch.Prepared{}, nil, start
		}
	}
	return prepared, nameOwnHost(container.Hosts, ownName(container)), nil
}

// nameOwnHost writes the pod's name to /etc/hostname, and its line: one agent of the group that may is enough, where the file is one for all.
func nameOwnHost(own *orders.OwnHost, name string) []string {
	// Who does not start as root can't write there; another container may.
	if own == nil || os.Geteuid() != 0 {
		return nil
	}
	// Where each container has a file of its own, what install wrote is not here. Few read it: it is no reason for a word.
	_ = hosts.Edit(hostnameFile, func([]byte) []byte { return []byte(name + "\n") })
	ips, err := address.Await(patience)
	if err == nil {
		err = hosts.Edit(hostsFile, func(content []byte) []byte { return hosts.WithOwn(content, ips[0], *own) })
	}
	if err != nil {
		return []string{fmt.Sprintf("the name %s is not in /etc/hosts: %v", own.Hostname, err)}
	}
	return nil
}

// ownName is what the app has in HOSTNAME, which may be more than the host name, unless the pod has its own value there.
func ownName(container *orders.Container) string {
	for _, variable := range container.Program.Env {
		if variable.Name == "HOSTNAME" && !variable.Value.Template {
			return variable.Value.Value
		}
	}
	if container.Hosts == nil {
		return ""
	}
	return container.Hosts.Hostname
}
