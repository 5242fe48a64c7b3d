package volume

import (
	"io/fs"
	"os"
	"syscall"

	"serverless-kubelet.local/agent/internal/orders"
)

// Bits that a group gets on a volume (kubelet, pkg/volume/volume_linux.go).
const (
	readWrite = 0o660
	readOnly  = 0o440
	enter     = 0o110
)

// own gives all of a volume its owner and its group. A volume whose top has the group already is left as it is.
func own(root *os.Root, v orders.Volume) error {
	if v.UID == nil && v.FSGroup == nil {
		return nil
	}
	top, err := root.Lstat(".")
	if err != nil {
		return err
	}
	if isOwned(top, v) {
		return nil
	}
	// The top goes last: it says that all is done.
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return ownOne(root, name, info, v)
	})
	if err != nil {
		return err
	}
	return ownOne(root, ".", top, v)
}

func isOwned(top fs.FileInfo, v orders.Volume) bool {
	stat, ok := top.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	owned := v.UID == nil || int(stat.Uid) == *v.UID
	grouped := v.FSGroup == nil || int(stat.Gid) == *v.FSGroup && top.Mode()&fs.ModeSetgid != 0
	return owned && grouped
}

func ownOne(root *os.Root, name string, info fs.FileInfo, v orders.Volume) error {
	uid, gid := -1, -1
	if v.UID != nil {
		uid = *v.UID
	}
	if v.FSGroup != nil {
		gid = *v.FSGroup
	}
	if err := root.Lchown(name, uid, gid); err != nil {
		return err
	}
	if v.FSGroup == nil || info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return root.Chmod(name, groupMode(info.Mode(), v.ReadOnly))
}

func groupMode(mode fs.FileMode, isReadOnly bool) fs.FileMode {
	mask := fs.FileMode(readWrite)
	if isReadOnly {
		mask = readOnly
	}
	if mode.IsDir() {
		mask |= fs.ModeSetgid | enter
	}
	return mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) | mask
}
