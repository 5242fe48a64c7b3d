// Package lookpath finds a command as a shell does, with a shell's exit codes and a kubelet's words.
package lookpath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
)

// DefaultPath is what container runtimes take where no PATH is set.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Find is the file that a command is, as the present user sees it from the present folder. A command with a slash is
// a file itself; an empty element of PATH is the present folder.
func Find(command, searchPath string) (string, *fault.Start) {
	if strings.Contains(command, "/") {
		if err := executable(command); err != nil {
			return "", Failure(command, err)
		}
		return command, nil
	}
	if command == "" {
		return "", notFound(command)
	}
	var refused error
	for _, folder := range strings.Split(searchPath, ":") {
		if folder == "" {
			folder = "."
		}
		// Join would take the dot away, and what has no slash would be searched again.
		file := strings.TrimSuffix(folder, "/") + "/" + command
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if refused == nil && !isMissing(err) {
			refused = err
		}
	}
	if refused != nil {
		return "", Failure(command, refused)
	}
	return "", notFound(command)
}

var errIsDirectory = errors.New("is a directory")

func executable(file string) error {
	info, err := os.Stat(filepath.Clean(file))
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errIsDirectory
	}
	if err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS); err != nil {
		return err
	}
	// Root may execute what anybody may: a file without any such bit is refused by execve in any case.
	if info.Mode().Perm()&0o111 == 0 {
		return unix.EACCES
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

func notFound(command string) *fault.Start {
	return &fault.Start{
		Code: fault.NotFound, Reason: fault.StartError,
		Message: "exec: " + quote(command) + ": executable file not found in $PATH",
	}
}

// Failure is what a shell and a kubelet make of an error of the command's file, or of its execve.
func Failure(command string, err error) *fault.Start {
	code := fault.NotExecutable
	text := err.Error()
	var number unix.Errno
	switch {
	case isMissing(err):
		code = fault.NotFound
		text = "stat " + command + ": no such file or directory"
	case errors.As(err, &number):
		text = number.Error()
	}
	return &fault.Start{Code: code, Reason: fault.StartError, Message: "exec: " + quote(command) + ": " + text}
}

func quote(text string) string { return `"` + text + `"` }
