// Package subpath puts a file or folder of a volume at another place of the container. A kubelet mounts it; here a
// folder is linked, and so is a file that is to be written to, while a file that is only read is copied.
package subpath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
)

// Container is where all of it happens.
type Container struct {
	Name string
	// MayEmpty is whether folders of the root file system may go: it is the container's own.
	MayEmpty bool
}

// Apply does one of the orders' subPaths. A second time it changes nothing but copies what may have changed.
func (c Container) Apply(s orders.SubPath, lookup func(string) (string, bool)) *fault.Start {
	if err := c.apply(s, s.Path.Expand(lookup)); err != nil {
		return fault.Config(fmt.Sprintf("failed to prepare subPath for volumeMount %q of container %q: %v", s.Name, c.Name, err))
	}
	return nil
}

func (c Container) apply(s orders.SubPath, inside string) error {
	if path.IsAbs(inside) || slices.Contains(strings.Split(inside, "/"), "..") {
		return fmt.Errorf("%q leads out of the volume", inside)
	}
	inside = path.Clean(inside)
	root, err := os.OpenRoot(s.Volume)
	if err != nil {
		return err
	}
	defer root.Close()
	source, err := find(root, inside)
	if errors.Is(err, errMissing) {
		// A volume that can't be written to: a kubelet makes the folder and mounts it empty.
		return c.put(resolve(s.MountPath, ""), true, func(place string) error { return os.Mkdir(place, 0o755) })
	}
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && s.ReadOnly {
		return c.put(resolve(s.MountPath, ""), false, func(place string) error { return copyFile(source, info, place) })
	}
	target := linkTarget(s.Volume, inside, source)
	place := resolve(s.MountPath, target)
	if present, err := os.Readlink(place); err == nil && present == target {
		return nil
	}
	return c.put(place, info.IsDir(), func(place string) error { return os.Symlink(target, place) })
}

var errMissing = errors.New("not there, and the volume can't be written to")

// find opens what is at a path of the volume, through links that stay in it; what is not there becomes a folder.
func find(root *os.Root, inside string) (*os.File, error) {
	file, err := root.Open(inside)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	top, err := root.Stat(".")
	if err != nil {
		return nil, err
	}
	if err := root.MkdirAll(inside, top.Mode().Perm()); err != nil {
		if isUnwritable(err) {
			return nil, errMissing
		}
		return nil, err
	}
	made, err := root.Open(inside)
	if err != nil {
		return nil, err
	}
	// As a kubelet does it: the folder that the container sees has the mode of the volume, whatever the umask took from it,
	// so that the group of an fsGroup can write there. One that another agent made just now has it already.
	if err := made.Chmod(top.Mode() & (fs.ModePerm | fs.ModeSetgid)); err != nil && !errors.Is(err, fs.ErrPermission) {
		made.Close()
		return nil, err
	}
	return made, nil
}

// linkTarget is where the thing really is, so that a link of the volume that is changed later leads nowhere else; but
// what goes through a kubelet's `..data` stays so: the version that is there now may be taken away.
func linkTarget(volume, inside string, source *os.File) string {
	plain := path.Join(volume, inside)
	real, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", source.Fd()))
	if err != nil || strings.HasPrefix(real, volume+"/..") || !strings.HasPrefix(real+"/", volume+"/") {
		return plain
	}
	return real
}

// put makes room at a place and has the thing made there.
func (c Container) put(place string, isFolder bool, make func(place string) error) error {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return unwritable(err)
	}
	point, err := mountIn(place)
	if err != nil {
		return err
	}
	if point != "" {
		return fmt.Errorf("there is a mount at %s", point)
	}
	if err := c.makeRoom(place, isFolder); err != nil {
		return unwritable(err)
	}
	return unwritable(make(place))
}

// maxLinks is where the kernel gives up too.
const maxLinks = 40

// resolve follows links of the image at the last step, as a mount does, up to one of ours; the steps before are the
// system's.
func resolve(place, ours string) string {
	for range maxLinks {
		target, err := os.Readlink(place)
		if err != nil || target == ours {
			return place
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(place), target)
		}
		place = target
	}
	return place
}

func (c Container) makeRoom(place string, isFolder bool) error {
	info, err := os.Lstat(place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	isLink := info.Mode()&fs.ModeSymlink != 0
	if !isLink && info.IsDir() != isFolder {
		return fmt.Errorf("%s: not a directory: are you trying to mount a directory onto a file (or vice-versa)?", place)
	}
	if err := os.Remove(place); err == nil || !info.IsDir() {
		return err
	}
	if !c.MayEmpty {
		return fmt.Errorf("%s is not empty, and the root file system is not the container's own", place)
	}
	return os.RemoveAll(place)
}

func isUnwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errReadOnly)
}

// unwritable says who has to change what.
func unwritable(err error) error {
	if err == nil || !isUnwritable(err) {
		return err
	}
	return fmt.Errorf("%w (the user that the image starts as, or a root file system that is read-only, does not allow it)", err)
}
