// Package install is the first init container of a group: it brings the agent, and prepares what only root, before all
// others, can prepare.
package install

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/hosts"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
	"serverless-kubelet.local/agent/internal/volume"
)

// Places are where a group has what install changes.
type Places struct {
	Program, Hosts, Hostname string
}

// InGroup are the places of a container group.
var InGroup = Places{Program: "/.sk", Hosts: "/etc/hosts", Hostname: "/etc/hostname"}

// Run does all of it and returns the exit code. A second run changes nothing.
func Run(ordersFile string, places Places) int {
	// Modes are as they are asked for.
	unix.Umask(0)
	group, err := orders.ReadGroup(ordersFile)
	if err != nil {
		return fault.InstallBadOrders
	}
	code, err := places.prepare(group)
	if err != nil {
		reportFault(group, code, err)
	}
	return code
}

// prepare returns the exit code, and beside one that is not 0 the reason.
func (p Places) prepare(group *orders.Group) (int, error) {
	if err := p.bring(); err != nil {
		return fault.InstallCode(err, fault.Own), err
	}
	if err := check(filepath.Join(p.Program, programName)); err != nil {
		return fault.InstallNoExec, err
	}
	if err := statedir.Create(group.State(), owners(group)); err != nil {
		return fault.InstallCode(err, fault.Own), err
	}
	for _, step := range []func(*orders.Group) error{handOver, prepareVolumes, p.nameHosts} {
		if err := step(group); err != nil {
			return fault.InstallVolumes, err
		}
	}
	return 0, nil
}

func owners(group *orders.Group) map[string]*int {
	list := make(map[string]*int, len(group.Containers))
	for _, container := range group.Containers {
		list[container.Name] = container.UID
	}
	return list
}

// handOver makes the orders of each container readable for who starts in it, and for nobody else where that is known.
func handOver(group *orders.Group) error {
	for _, container := range group.Containers {
		if container.Orders == "" {
			continue
		}
		if err := handOverOne(container); err != nil {
			return fmt.Errorf("orders of %s: %w", container.Name, err)
		}
	}
	return nil
}

func handOverOne(container orders.StateFolder) error {
	root, err := os.OpenRoot(container.Orders)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		mode := fs.FileMode(0o444)
		if container.UID != nil {
			mode = 0o400
			if err := root.Lchown(entry.Name(), *container.UID, -1); err != nil {
				return err
			}
		}
		if err := root.Chmod(entry.Name(), mode); err != nil {
			return err
		}
	}
	return nil
}

func prepareVolumes(group *orders.Group) error {
	for _, one := range group.Volumes {
		if err := volume.Apply(one); err != nil {
			return err
		}
	}
	return nil
}

func (p Places) nameHosts(group *orders.Group) error {
	if len(group.Hosts) > 0 {
		add := func(content []byte) []byte { return hosts.WithAliases(content, group.Hosts) }
		if err := hosts.Edit(p.Hosts, add); err != nil {
			return err
		}
	}
	if group.Hostname == "" {
		return nil
	}
	return hosts.Edit(p.Hostname, func([]byte) []byte { return []byte(group.Hostname + "\n") })
}

// reportFault is tried for a while: whether there is egress while init containers run is not known.
func reportFault(group *orders.Group, code int, cause error) {
	post := report.ToApp(group.Report)
	if post == nil {
		return
	}
	now := time.Now().UTC()
	state := report.State{Phase: report.Ended, Ended: &statedir.Ended{
		ExitCode: code, Reason: fault.AgentError, Message: cause.Error(), FinishedAt: now,
	}}
	identity := report.IdentityOf(&group.Header, "", statedir.NewBootID("", now))
	report.New(identity, state, post).Last(group.Report.Patience())
}
