package launch

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/orders"
)

// names are those of linux/capability.h, by number.
var names = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// Capabilities are those that a process is to lose, by number.
type Capabilities struct {
	Drop []int `json:"drop"`
}

func numberOf(name string) (int, error) {
	plain := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	for number, known := range names {
		if known == plain {
			return number, nil
		}
	}
	return 0, fmt.Errorf("securityContext.capabilities: %s is no capability", name)
}

// hasCapability is whether the bounding set has it; not known where the kernel doesn't have it.
func hasCapability(number int) (has, known bool) {
	value, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(number), 0, 0, 0)
	return value == 1, err == nil
}

// capabilitiesOf is what is to go: what is dropped and not added again. What is added has to be there.
func capabilitiesOf(wanted *orders.Capabilities) (*Capabilities, error) {
	if wanted == nil {
		return nil, nil
	}
	keep := map[int]bool{}
	for _, name := range wanted.Add {
		if strings.EqualFold(name, "ALL") {
			return nil, errors.New("securityContext.capabilities.add: ALL is not to be had in a container group")
		}
		number, err := numberOf(name)
		if err != nil {
			return nil, err
		}
		if has, _ := hasCapability(number); !has {
			return nil, fmt.Errorf("securityContext.capabilities.add: %s is not to be had in a container group", name)
		}
		keep[number] = true
	}
	drop, err := dropped(wanted.Drop, keep)
	return &Capabilities{Drop: drop}, err
}

func dropped(list []string, keep map[int]bool) ([]int, error) {
	var drop []int
	for _, name := range list {
		if strings.EqualFold(name, "ALL") {
			return allBut(keep), nil
		}
		number, err := numberOf(name)
		if err != nil {
			return nil, err
		}
		if has, _ := hasCapability(number); has && !keep[number] {
			drop = append(drop, number)
		}
	}
	return drop, nil
}

func allBut(keep map[int]bool) []int {
	var drop []int
	for number := 0; ; number++ {
		has, known := hasCapability(number)
		if !known {
			return drop
		}
		if has && !keep[number] {
			drop = append(drop, number)
		}
	}
}

// dropFromThread takes the capabilities from what this thread's programs can ever have, and nothing is passed on as
// ambient or inheritable. It needs SETPCAP, so who is not root keeps the bounding set: nothing of it is in effect.
func (c *Capabilities) dropFromThread() error {
	for _, number := range c.Drop {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(number), 0, 0, 0)
		if errors.Is(err, unix.EPERM) && unix.Geteuid() != 0 {
			break
		}
		if err != nil {
			return fmt.Errorf("securityContext.capabilities.drop: %w", err)
		}
	}
	// A kernel without ambient capabilities has none to clear.
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("ambient capabilities: %w", err)
	}
	return clearInheritable()
}

func clearInheritable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	data[0].Inheritable, data[1].Inheritable = 0, 0
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
