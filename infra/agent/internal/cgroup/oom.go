// Package cgroup counts the processes of this container that the kernel has killed for want of memory.
package cgroup

import (
	"bufio"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

const mount = "/sys/fs/cgroup"

// Kills is the number since the container was made; false where it can't be read. The files of versions 2 and 1 have
// it under one name.
func Kills() (int, bool) {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		membership = nil
	}
	for _, name := range candidates(string(membership)) {
		if count, ok := readFile(name); ok {
			return count, true
		}
	}
	return 0, false
}

// candidates are the files to try: those of the process's own group, then those of a container that sees its group as
// the root.
func candidates(membership string) []string {
	var list []string
	for line := range strings.Lines(membership) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || strings.Contains(parts[2], "..") {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "":
			list = append(list, path.Join(mount, parts[2], "memory.events"))
		case contains(parts[1], "memory"):
			list = append(list, path.Join(mount, "memory", parts[2], "memory.oom_control"))
		}
	}
	return append(list, mount+"/memory.events", mount+"/memory/memory.oom_control")
}

func contains(list, name string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one == name {
			return true
		}
	}
	return false
}

func readFile(name string) (int, bool) {
	file, err := os.Open(name)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	return read(file)
}

func read(from io.Reader) (int, bool) {
	lines := bufio.NewScanner(io.LimitReader(from, 1<<16))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
			count, err := strconv.Atoi(strings.TrimSpace(text))
			return count, err == nil
		}
	}
	return 0, false
}
