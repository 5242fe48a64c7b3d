package install

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const programName = "sk"

// Links are the words that ARM's exec is called with, each for a subcommand of main.
var Links = []string{"x", "f", "d", "r", "s"}

// CheckCommand is what the program answers to with 0 and nothing else.
const CheckCommand = "check"

// bring copies this very program to where all containers see it, with its links.
func (p Places) bring() error {
	if err := os.MkdirAll(p.Program, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	target := filepath.Join(p.Program, programName)
	if !isSame(self, target) {
		if err := copyProgram(self, target); err != nil {
			return err
		}
	}
	for _, name := range Links {
		if err := link(programName, filepath.Join(p.Program, name)); err != nil {
			return err
		}
	}
	return nil
}

func isSame(a, b string) bool {
	first, errA := digest(a)
	second, errB := digest(b)
	return errA == nil && errB == nil && bytes.Equal(first, second)
}

func digest(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return hash.Sum(nil), err
}

// copyProgram leaves no half of a program under its name.
func copyProgram(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	temporary := to + "." + rand.Text()[:8]
	target, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	err = errors.Join(err, target.Chmod(0o555), target.Close())
	if err == nil {
		err = os.Rename(temporary, to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

func link(target, name string) error {
	if present, err := os.Readlink(name); err == nil && present == target {
		return nil
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, name)
}

// check runs the program where it is now: a volume that is mounted noexec shows only so.
func check(program string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := exec.CommandContext(ctx, program, CheckCommand).Run(); err != nil {
		return fmt.Errorf("%s does not execute: %w", program, err)
	}
	return nil
}
