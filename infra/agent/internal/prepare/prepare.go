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
	hostsFile = "/etc/hosts"
	patience  = 5 * time.Second
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
	return prepared, nameOwnHost(container.Hosts), nil
}

// nameOwnHost writes the pod's line: one agent of the group that may is enough, where the file is one for all.
func nameOwnHost(own *orders.OwnHost) []string {
	// Who does not start as root can't write there; another container may.
	if own == nil || os.Geteuid() != 0 {
		return nil
	}
	ips, err := address.Await(patience)
	if err == nil {
		err = hosts.Edit(hostsFile, func(content []byte) []byte { return hosts.WithOwn(content, ips[0], *own) })
	}
	if err != nil {
		return []string{fmt.Sprintf("the name %s is not in /etc/hosts: %v", own.Hostname, err)}
	}
	return nil
}
