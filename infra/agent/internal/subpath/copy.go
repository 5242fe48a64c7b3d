package subpath

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

const errReadOnly = syscall.EROFS

// copyFile gives the copy the mode and, where this is allowed, the owner of its source.
func copyFile(source io.Reader, info fs.FileInfo, place string) error {
	target, err := os.OpenFile(place, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && err == nil {
		// Who is not root owns what it makes.
		if err = target.Chown(int(stat.Uid), int(stat.Gid)); errors.Is(err, fs.ErrPermission) {
			err = nil
		}
	}
	if err == nil {
		err = target.Chmod(info.Mode().Perm())
	}
	return errors.Join(err, target.Close())
}
