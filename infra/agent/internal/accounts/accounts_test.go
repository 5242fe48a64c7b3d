package accounts

import (
	"slices"
	"strings"
	"testing"
)

const passwd = `root:x:0:0:root:/root:/bin/sh
# a comment
nonsense
web:x:1000:1001:,,,:/srv/web:/bin/false
short:x:1002:1002
web2:x:1000:7::/other:/bin/sh
big:x:4294967295:0::/:/bin/sh
neg:x:-1:0::/:/bin/sh

+nis::::::`

const group = `root:x:0:
adm:x:4:web,other
web:x:1001:
nonsense
docker:x:999:other,web
again:x:4:web
`

func TestFindUser(t *testing.T) {
	for uid, want := range map[int]User{
		0:    {"root", 0, 0, "/root"},
		1000: {"web", 1000, 1001, "/srv/web"},
		1002: {"short", 1002, 1002, ""},
	} {
		if got, known := FindUser(strings.NewReader(passwd), uid); !known || got != want {
			t.Errorf("%d: %+v, %v", uid, got, known)
		}
	}
	for _, uid := range []int{7, -1, 1<<32 - 1} {
		if got, known := FindUser(strings.NewReader(passwd), uid); known {
			t.Errorf("%d: %+v", uid, got)
		}
	}
}

func TestGroupsOf(t *testing.T) {
	for name, want := range map[string][]int{"web": {4, 999}, "other": {4, 999}, "nobody": nil, "": nil} {
		if got := GroupsOf(strings.NewReader(group), name); !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzAccounts(f *testing.F) {
	f.Add(passwd, group, 1000)
	f.Add("a:b:1:2:c:d:e", "x:x:1:a,b", 1)
	f.Fuzz(func(t *testing.T, passwd, group string, uid int) {
		user, known := FindUser(strings.NewReader(passwd), uid)
		if known && (user.UID != uid || user.GID < 0 || user.GID > 1<<32-2) {
			t.Fatalf("%+v", user)
		}
		for _, gid := range GroupsOf(strings.NewReader(group), user.Name) {
			if gid < 0 || gid > 1<<32-2 {
				t.Fatal(gid)
			}
		}
	})
}
