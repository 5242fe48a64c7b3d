package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

// Apply prepares one volume. A second time it changes nothing.
func Apply(v orders.Volume) error {
	root, err := os.OpenRoot(v.Path)
	if err != nil {
		return fmt.Errorf("volume %s: %w", v.Name, err)
	}
	defer root.Close()
	source := root
	if v.Source != "" && v.Source != v.Path {
		if source, err = os.OpenRoot(v.Source); err != nil {
			return fmt.Errorf("volume %s: %w", v.Name, err)
		}
		defer source.Close()
	}
	arrange := flatten
	if v.Layout == orders.LayoutData {
		arrange = build
	}
	if err := arrange(root, source, v.Files); err != nil {
		return fmt.Errorf("volume %s: %w", v.Name, err)
	}
	if err := own(root, v); err != nil {
		return fmt.Errorf("volume %s: %w", v.Name, err)
	}
	return nil
}

// flatten gives files their names and modes.
func flatten(root, source *os.Root, files []orders.File) error {
	for _, file := range files {
		if err := place(root, source, file); err != nil {
			return err
		}
		if err := root.Chmod(file.Path, fs.FileMode(file.Mode)); err != nil {
			return err
		}
	}
	return nil
}

func place(root, source *os.Root, file orders.File) error {
	if root != source {
		data, err := source.ReadFile(file.From)
		if err != nil {
			return err
		}
		return root.WriteFile(file.Path, data, 0o600)
	}
	if file.From == file.Path {
		return nil
	}
	err := root.Rename(file.From, file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		// Done before; what is not there is noticed by chmod.
		return nil
	}
	return err
}

// build makes the tree of a kubelet, unless it is there: a version that is newer than the files that ACI brought stays.
func build(root, source *os.Root, files []orders.File) error {
	if !isBuilt(root, files) {
		version := make([]File, 0, len(files))
		for _, file := range files {
			data, err := source.ReadFile(file.From)
			if err != nil {
				return err
			}
			version = append(version, File{Path: file.Path, Mode: fs.FileMode(file.Mode), Data: data})
		}
		if err := WriteVersion(root, version, time.Now()); err != nil {
			return err
		}
	}
	if root != source {
		return nil
	}
	return removeFlat(root, files)
}

func isBuilt(root *os.Root, files []orders.File) bool {
	if _, err := root.Readlink(dataLink); err != nil {
		return false
	}
	return !slices.ContainsFunc(files, func(file orders.File) bool {
		info, err := root.Stat(dataLink + "/" + file.Path)
		return err != nil || !info.Mode().IsRegular()
	})
}

// removeFlat takes away the files that ACI brought; one whose name is in the tree has become a link.
func removeFlat(root *os.Root, files []orders.File) error {
	var links []File
	for _, file := range files {
		links = append(links, File{Path: file.Path})
		info, err := root.Lstat(file.From)
		if err == nil && info.Mode().IsRegular() {
			err = root.Remove(file.From)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return linkNames(root, links)
}
