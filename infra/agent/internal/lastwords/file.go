// Package lastwords has the termination message of a program: the end of a file, or of its output.
package lastwords

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/regular"
)

// MaxFile and the next two are a kubelet's limits (pkg/kubelet/container).
const (
	MaxFile   = 4096
	maxOutput = 2048
	maxLines  = 80
)

// File is the file that a program may write. A kubelet mounts one for each run; here it is made, and kept open, so that
// no link in its place leads this process, which may be root, to another file.
type File struct {
	path string
	open *os.File
}

// NewFile makes an empty file that any user of the container can write to.
func NewFile(path string) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	open, err := regular.Open(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, open: open}
	// Whose file it is already keeps its mode.
	if err := open.Chmod(0o666); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, errors.Join(err, open.Close())
	}
	if err := open.Truncate(0); err != nil {
		return nil, errors.Join(err, open.Close())
	}
	return f, nil
}

// Read is the end of what was written, and closes the file. A program that has put another file in its place, as it
// can't where it is mounted, is read where the new one belongs to who wrote it.
func (f *File) Read(uid int) (string, error) {
	defer f.open.Close()
	from := f.open
	if isGone(f.open) {
		replaced, err := f.replaced(uid)
		if err != nil {
			return "", err
		}
		defer replaced.Close()
		from = replaced
	}
	return tail(from)
}

func isGone(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

func (f *File) replaced(uid int) (*os.File, error) {
	how := &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	descriptor, err := unix.Openat2(unix.AT_FDCWD, f.path, how)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	file := os.NewFile(uintptr(descriptor), f.path)
	info, err := file.Stat()
	if err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !info.Mode().IsRegular() || !ok || int(stat.Uid) != uid || stat.Nlink != 1 {
			err = fmt.Errorf("%s is no file of the program's", f.path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func tail(from *os.File) (string, error) {
	info, err := from.Stat()
	if err != nil {
		return "", err
	}
	data := make([]byte, min(info.Size(), MaxFile))
	n, err := from.ReadAt(data, info.Size()-int64(len(data)))
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.ToValidUTF8(string(data[:n]), "\uFFFD"), nil
}
