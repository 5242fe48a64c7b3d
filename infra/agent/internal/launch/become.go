package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/environment"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/lookpath"
)

// Become makes this process the one of the spec. It returns only where that could not be: the present process is then
// in no state to go on.
func Become(spec Spec) *fault.Start {
	// Users, capabilities and no_new_privs are a thread's, and this thread is the one that is left after execve.
	runtime.LockOSThread()
	retryDir, start := enter(spec.Dir)
	if start != nil {
		return start
	}
	if err := spec.restrict(); err != nil {
		return &fault.Start{Code: fault.Own, Reason: fault.CreateContainerConfigError, Message: err.Error()}
	}
	if retryDir {
		if err := os.Chdir(spec.Dir); err != nil {
			return dirFailure(err)
		}
	}
	searchPath, known := environment.New(spec.Env).Get("PATH")
	if !known {
		searchPath = lookpath.DefaultPath
	}
	file, start := lookpath.Find(spec.Argv[0], searchPath)
	if start != nil {
		return start
	}
	return lookpath.Failure(spec.Argv[0], syscall.Exec(file, spec.Argv, spec.Env))
}

func dirFailure(err error) *fault.Start {
	return &fault.Start{Code: fault.Own, Reason: fault.StartError, Message: "workingDir: " + err.Error()}
}

// enter makes the folder and goes there. A folder that root may not enter, on a network file system, is tried again as
// the user.
func enter(dir string) (retry bool, start *fault.Start) {
	if dir == "" {
		return false, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil && !errors.Is(err, fs.ErrPermission) {
		return false, dirFailure(err)
	}
	err := os.Chdir(dir)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return false, dirFailure(err)
	}
	return err != nil, nil
}

// restrict goes from the greater right to the smaller: capabilities need the user, no_new_privs is last.
func (s Spec) restrict() error {
	if s.User != nil {
		giveStandardFiles(s.User.UID)
	}
	if s.Capabilities != nil {
		if err := s.Capabilities.dropFromThread(); err != nil {
			return err
		}
	}
	if s.User != nil {
		if err := s.User.apply(); err != nil {
			return err
		}
	}
	if s.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("securityContext.allowPrivilegeEscalation: %w", err)
		}
	}
	return nil
}

// giveStandardFiles makes them the user's, as container runtimes do, so that a program can open /dev/stdout. Where that
// can't be, the descriptors themselves still work. /dev/null is everybody's.
func giveStandardFiles(uid int) {
	var null, one unix.Stat_t
	if unix.Stat(os.DevNull, &null) != nil {
		return
	}
	for descriptor := range 3 {
		if unix.Fstat(descriptor, &one) == nil && (one.Mode&unix.S_IFMT != unix.S_IFCHR || one.Rdev != null.Rdev) {
			_ = unix.Fchown(descriptor, uid, -1)
		}
	}
}

// apply changes the user of this thread alone: the raw calls, since those of the syscall package change all threads.
func (c Credential) apply() error {
	list := make([]uint32, len(c.Groups))
	for index, group := range c.Groups {
		list[index] = uint32(group)
	}
	if err := rawCall(unix.SYS_SETGROUPS, uintptr(len(list)), uintptr(unsafe.Pointer(unsafe.SliceData(list))), 0); err != nil {
		return fmt.Errorf("securityContext.supplementalGroups: %w", err)
	}
	gid, uid := uintptr(c.GID), uintptr(c.UID)
	if err := rawCall(unix.SYS_SETRESGID, gid, gid, gid); err != nil {
		return fmt.Errorf("securityContext.runAsGroup: %w", err)
	}
	if err := rawCall(unix.SYS_SETRESUID, uid, uid, uid); err != nil {
		return fmt.Errorf("securityContext.runAsUser: %w", err)
	}
	return nil
}

func rawCall(number, a, b, c uintptr) error {
	if _, _, errno := unix.RawSyscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}
