// Package accounts reads /etc/passwd and /etc/group as container runtimes do: what is no entry is passed over.
package accounts

import (
	"bufio"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxBytes bounds what is read of either file.
const maxBytes = 8 << 20

// User is an entry of /etc/passwd.
type User struct {
	Name string
	UID  int
	GID  int
	Home string
}

// FindUser is the first entry with the number.
func FindUser(passwd io.Reader, uid int) (User, bool) {
	for fields := range entries(passwd) {
		if len(fields) < 4 {
			continue
		}
		user := User{Name: fields[0]}
		var okUID, okGID bool
		user.UID, okUID = number(fields[2])
		user.GID, okGID = number(fields[3])
		if len(fields) > 5 {
			user.Home = fields[5]
		}
		if okUID && okGID && user.UID == uid {
			return user, true
		}
	}
	return User{}, false
}

// GroupsOf is the numbers of the groups that name the user as a member.
func GroupsOf(group io.Reader, name string) []int {
	if name == "" {
		return nil
	}
	var found []int
	for fields := range entries(group) {
		if len(fields) < 4 || !slices.Contains(strings.Split(fields[3], ","), name) {
			continue
		}
		if gid, ok := number(fields[2]); ok && !slices.Contains(found, gid) {
			found = append(found, gid)
		}
	}
	return found
}

// entries has the fields of each line.
func entries(from io.Reader) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		lines := bufio.NewScanner(io.LimitReader(from, maxBytes))
		lines.Buffer(nil, maxBytes)
		for lines.Scan() {
			line := strings.TrimSpace(lines.Text())
			if line == "" || line[0] == '#' {
				continue
			}
			if !yield(strings.Split(line, ":")) {
				return
			}
		}
	}
}

func number(text string) (int, bool) {
	value, err := strconv.ParseUint(text, 10, 32)
	// The greatest one is `none` to the kernel.
	return int(value), err == nil && value < 1<<32-1
}

// Lookup is the entry and the groups of a user in the files of this root file system. Neither needs to be there.
func Lookup(uid int) (user User, groups []int, known bool) {
	passwd, err := os.Open("/etc/passwd")
	if err != nil {
		return User{}, nil, false
	}
	defer passwd.Close()
	user, known = FindUser(passwd, uid)
	if !known {
		return User{}, nil, false
	}
	if group, err := os.Open("/etc/group"); err == nil {
		defer group.Close()
		groups = GroupsOf(group, user.Name)
	}
	return user, groups, true
}
