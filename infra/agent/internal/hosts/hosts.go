// Package hosts changes /etc/hosts and /etc/hostname in place: in a group they are one file each, mounted into every
// container, which a rename would not reach.
package hosts

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/orders"
)

// aliasHeader is a kubelet's (pkg/kubelet/kubelet_pods.go).
const aliasHeader = "# Entries added by HostAliases."

// maxBytes bounds what is read of a hosts file.
const maxBytes = 16 << 20

// WithAliases is the content with the aliases behind it, once.
func WithAliases(content []byte, aliases []orders.HostAlias) []byte {
	if len(aliases) == 0 {
		return content
	}
	var block strings.Builder
	fmt.Fprintf(&block, "\n%s\n", aliasHeader)
	for _, alias := range aliases {
		fmt.Fprintf(&block, "%s\t%s\n", alias.IP, strings.Join(alias.Hostnames, "\t"))
	}
	if bytes.Contains(content, []byte(block.String())) {
		return content
	}
	return append(lineEnded(content), block.String()...)
}

// WithOwn is the content with the line of the pod itself; one of the same names that has another address is changed,
// since a group gets a new address when it is started again.
func WithOwn(content []byte, ip string, own orders.OwnHost) []byte {
	names := []string{own.Hostname}
	if own.Domain != "" {
		names = []string{own.Hostname + "." + own.Domain, own.Hostname}
	}
	line := ip + "\t" + strings.Join(names, "\t") + "\n"
	var out []byte
	found := false
	for present := range bytes.Lines(content) {
		if !isOf(string(present), names) {
			out = append(out, present...)
			continue
		}
		if !found {
			out = append(out, line...)
		}
		found = true
	}
	if found {
		return out
	}
	return append(lineEnded(out), line...)
}

// isOf is whether a line gives an address to just these names.
func isOf(line string, names []string) bool {
	fields := strings.Fields(line)
	if len(fields) == 0 || !slices.Equal(fields[1:], names) {
		return false
	}
	_, err := netip.ParseAddr(fields[0])
	return err == nil
}

func lineEnded(content []byte) []byte {
	content = slices.Clone(content)
	if len(content) > 0 && content[len(content)-1] != '\n' {
		content = append(content, '\n')
	}
	return content
}

// Edit changes a file in place, one agent of the group after another, and only where there is a difference.
func Edit(name string, change func([]byte) []byte) error {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLKW, &lock); err != nil {
		return fmt.Errorf("%s: lock: %w", name, err)
	}
	before, err := io.ReadAll(io.LimitReader(file, maxBytes))
	if err != nil {
		return err
	}
	after := change(before)
	if bytes.Equal(before, after) {
		return nil
	}
	// What is common stays where it is, so that a reader misses nothing that was there before.
	same := commonLength(before, after)
	if _, err := file.WriteAt(after[same:], int64(same)); err != nil {
		return err
	}
	return file.Truncate(int64(len(after)))
}

func commonLength(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
