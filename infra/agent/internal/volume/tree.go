// Package volume gives a volume of files the modes, owners and layout that a kubelet gives it, where it is: what is in
// RAM stays there.
package volume

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// dataLink is what the links of a volume go through; who reads a file by it never sees half a change.
const dataLink = "..data"

// File is one of a version.
type File struct {
	Path string
	Mode fs.FileMode
	Data []byte
}

// WriteVersion replaces all files of a volume at once: a folder of its own for the version, `..data` that is moved to it,
// a link for each name at the top. What was there before goes. It does not follow a link out of the volume.
func WriteVersion(root *os.Root, files []File, now time.Time) error {
	version := fmt.Sprintf("..%s.%s", now.UTC().Format("2006_01_02_15_04_05"), rand.Text()[:10])
	if err := root.Mkdir(version, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := writeFile(root, version+"/"+file.Path, file); err != nil {
			return errors.Join(err, root.RemoveAll(version))
		}
	}
	// The mode of Mkdir is cut by the umask.
	if err := root.Chmod(version, 0o755); err != nil {
		return err
	}
	previous, _ := root.Readlink(dataLink)
	if err := linkOver(root, version, dataLink); err != nil {
		return err
	}
	if err := linkNames(root, files); err != nil {
		return err
	}
	if previous == "" || strings.Contains(previous, "/") || !strings.HasPrefix(previous, "..") {
		return nil
	}
	return root.RemoveAll(previous)
}

func writeFile(root *os.Root, place string, file File) error {
	if err := root.MkdirAll(path.Dir(place), 0o755); err != nil {
		return err
	}
	if err := root.WriteFile(place, file.Data, 0o600); err != nil {
		return err
	}
	return root.Chmod(place, file.Mode)
}

// linkOver puts a link in the place of whatever has the name, in one step.
func linkOver(root *os.Root, target, name string) error {
	temporary := "..link_" + rand.Text()[:10]
	if err := root.Symlink(target, temporary); err != nil {
		return err
	}
	if err := root.Rename(temporary, name); err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

func topName(file string) string {
	top, _, _ := strings.Cut(file, "/")
	return top
}

func linkNames(root *os.Root, files []File) error {
	var wanted []string
	for _, file := range files {
		if name := topName(file.Path); !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	for _, name := range wanted {
		target := dataLink + "/" + name
		if present, err := root.Readlink(name); err == nil && present == target {
			continue
		}
		if err := linkOver(root, target, name); err != nil {
			return err
		}
	}
	return unlinkOthers(root, wanted)
}

// unlinkOthers removes links of names that are gone.
func unlinkOthers(root *os.Root, wanted []string) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if slices.Contains(wanted, name) || entry.Type()&fs.ModeSymlink == 0 {
			continue
		}
		if target, err := root.Readlink(name); err == nil && target == dataLink+"/"+name {
			if err := root.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
