package orders

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// checks collects the first thing that is wrong.
type checks struct{ err error }

func (c *checks) must(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// name is one that can be a file's.
func (c *checks) name(what, name string) {
	ok := name != "" && len(name) <= 253 && !strings.ContainsAny(name, "/\x00") && name != "." && name != ".."
	c.must(ok, "%s: %q is no name", what, name)
}

func (c *checks) absolute(what, place string) {
	c.must(path.IsAbs(place) && path.Clean(place) == place && !strings.Contains(place, "\x00"),
		"%s: %q is no clean absolute path", what, place)
}

func (c *checks) id(what string, id *int) {
	c.must(id == nil || *id >= 0 && *id <= 1<<32-2, "%s is no id", what)
}

func (c *checks) noNUL(what string, text string) {
	c.must(!strings.Contains(text, "\x00"), "%s has a NUL", what)
}

func (c *checks) oneOf(what, value string, values ...string) {
	c.must(slices.Contains(values, value), "%s: %q is none of %s", what, value, strings.Join(values, ", "))
}

func (c *checks) seconds(what string, value int) {
	c.must(value >= 0 && value <= 1<<31-1, "%s: %d", what, value)
}

func (c *checks) port(what string, port int) {
	c.must(port >= 1 && port <= 65535, "%s: %d is no port", what, port)
}

func (c *checks) header(h Header) {
	c.must(h.Pod.UID != "" && h.Pod.Name != "" && h.Pod.Namespace != "", "pod: namespace, name and uid are needed")
	c.must(h.Nonce != "", "nonce is missing")
	if h.StateDir != "" {
		c.absolute("stateDir", h.StateDir)
	}
	if h.Report == nil {
		return
	}
	for what, text := range map[string]string{"report.url": h.Report.URL, "report.filesUrl": h.Report.FilesURL} {
		address, err := url.Parse(text)
		optional := what == "report.filesUrl" && text == ""
		c.must(optional || err == nil && (address.Scheme == "https" || address.Scheme == "http") && address.Host != "",
			"%s: %q", what, text)
	}
	c.must(h.Report.KID != "" && len(h.Report.Key) >= 16, "report: kid and key are needed")
	if h.Report.FlushSeconds != nil {
		c.seconds("report.flushSeconds", *h.Report.FlushSeconds)
	}
}

func (o *Container) check() error {
	c := &checks{}
	c.header(o.Header)
	c.name("container", o.Container)
	c.oneOf("mode", o.Mode, ModeExec, ModeSupervise)
	c.must((o.Mode == ModeSupervise) == (o.Supervise != nil), "supervise is of mode supervise")
	c.program(&o.Program)
	if o.Hosts != nil {
		c.must(isHostname(o.Hosts.Hostname) && (o.Hosts.Domain == "" || isHostname(o.Hosts.Domain)), "hosts: no names")
	}
	for _, s := range o.SubPaths {
		c.absolute("subPaths.volume", s.Volume)
		c.absolute("subPaths.mountPath", s.MountPath)
		c.must(s.MountPath != "/", "subPaths.mountPath: the root can't be replaced")
		c.noNUL("subPaths.path", s.Path.Value)
	}
	if o.Supervise != nil {
		c.supervise(o.Supervise)
	}
	for _, live := range o.Live {
		c.name("live.name", live.Name)
		c.absolute("live.path", live.Path)
		c.must(o.Report != nil && o.Report.FilesURL != "", "live: report.filesUrl is needed")
	}
	return c.err
}

func (c *checks) program(p *Program) {
	c.must(len(p.Argv) > 0, "program.argv is empty")
	for _, word := range p.Argv {
		c.noNUL("program.argv", word.Value)
	}
	for _, v := range p.Env {
		c.must(v.Name != "" && !strings.ContainsAny(v.Name, "=\x00"), "program.env: %q is no name", v.Name)
		c.noNUL("program.env", v.Value.Value)
		c.must(v.Field == "" || v.Value == Text{}, "program.env: %s has a value and a field", v.Name)
		c.oneOf("program.env.field", v.Field, "", FieldPodIP, FieldPodIPs)
	}
	c.noNUL("program.workingDir", p.WorkingDir.Value)
	if p.User != nil {
		c.id("program.user.uid", p.User.UID)
		c.id("program.user.gid", p.User.GID)
		for _, group := range p.User.Groups {
			c.id("program.user.groups", &group)
		}
	}
	c.must(!p.StdinOnce || p.Stdin, "program.stdinOnce without stdin")
}

// Fields of the environment that are known only inside the group.
const (
	FieldPodIP  = "status.podIP"
	FieldPodIPs = "status.podIPs"
)

func (o *Group) check() error {
	c := &checks{}
	c.header(o.Header)
	for _, folder := range o.Containers {
		c.name("containers.name", folder.Name)
		c.id("containers.uid", folder.UID)
		if folder.Orders != "" {
			c.absolute("containers.orders", folder.Orders)
		}
	}
	for _, volume := range o.Volumes {
		c.volume(volume)
	}
	for _, alias := range o.Hosts {
		c.must(isAddress(alias.IP) && len(alias.Hostnames) > 0 && !slices.ContainsFunc(alias.Hostnames, isNoHostname),
			"hosts: %s %q", alias.IP, alias.Hostnames)
	}
	c.must(o.Hostname == "" || isHostname(o.Hostname), "hostname: %q", o.Hostname)
	return c.err
}

func (c *checks) volume(v Volume) {
	c.name("volumes.name", v.Name)
	c.absolute("volumes.path", v.Path)
	if v.Source != "" {
		c.absolute("volumes.source", v.Source)
	}
	c.oneOf("volumes.layout", v.Layout, "", LayoutFlat, LayoutData)
	c.id("volumes.uid", v.UID)
	c.id("volumes.fsGroup", v.FSGroup)
	for _, file := range v.Files {
		c.name("volumes.files.from", file.From)
		if err := CheckFile(file.Path, file.Mode); c.err == nil {
			c.err = err
		}
		c.must(v.Layout == LayoutData || !strings.Contains(file.Path, "/"), "volumes.files.path: %q in a flat layout", file.Path)
	}
}

// CheckFile says why a file can't be one of a volume; nil where it can.
func CheckFile(file string, mode int) error {
	parts := strings.Split(file, "/")
	switch {
	case file == "" || path.Clean(file) != file || path.IsAbs(file) || parts[0] == ".." || file == ".":
		return fmt.Errorf("files: %q is no clean path in a volume", file)
	case strings.HasPrefix(parts[0], "..") || strings.Contains(file, "\x00"):
		return fmt.Errorf("files: %q begins as a kubelet's own files do", file)
	case mode < 0 || mode > 0o777:
		return errors.New("files: a mode is from 0 to 511")
	}
	return nil
}
