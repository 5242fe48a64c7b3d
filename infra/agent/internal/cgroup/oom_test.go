package cgroup

import (
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for text, want := range map[string]struct {
		count int
		ok    bool
	}{
		"low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n": {2, true},
		"oom_kill_disable 0\nunder_oom 0\noom_kill 7\n":                {7, true},
		"oom_kill_disable 0\nunder_oom 0\n":                            {0, false},
		"oom_kill x\n":                                                 {0, false},
		"":                                                             {0, false},
	} {
		if count, ok := read(strings.NewReader(text)); count != want.count || ok != want.ok {
			t.Errorf("%q: %d, %v", text, count, ok)
		}
	}
}

func TestCandidates(t *testing.T) {
	roots := []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"}
	for membership, want := range map[string][]string{
		"":        nil,
		"0::/\n":  {"/sys/fs/cgroup/memory.events"},
		"0::/a\n": {"/sys/fs/cgroup/a/memory.events"},
		"12:cpu,cpuacct:/a\n7:memory:/docker/x\n0::/y\n": {"/sys/fs/cgroup/memory/docker/x/memory.oom_control", "/sys/fs/cgroup/y/memory.events"},
		"7:memory:/../../x\nnonsense\n":                  nil,
	} {
		if got := candidates(membership); !slices.Equal(got, append(want, roots...)) {
			t.Errorf("%q: %q", membership, got)
		}
	}
}
