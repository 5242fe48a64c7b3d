package launch

import (
	"os"
	"slices"
	"testing"

	"serverless-kubelet.local/agent/internal/accounts"
	"serverless-kubelet.local/agent/internal/orders"
)

func TestUser(t *testing.T) {
	needRoot(t)
	spec := plain.With([]string{"cat", "/proc/self/status"})
	spec.User = &Credential{UID: 4321, GID: 1234, Groups: []int{1234, 77}}
	spec.NoNewPrivileges = true
	output, _, start := run(t, spec)
	if start != nil {
		t.Fatal(start)
	}
	for name, want := range map[string]string{
		"Uid": "4321 4321 4321 4321", "Gid": "1234 1234 1234 1234", "Groups": "77 1234", "NoNewPrivs": "1",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapAmb": "0000000000000000",
	} {
		if got := status(output, name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	needRoot(t)
	for _, row := range []struct {
		wanted orders.Capabilities
		want   string
	}{
		{orders.Capabilities{Drop: []string{"ALL"}}, "0000000000000000"},
		{orders.Capabilities{Drop: []string{"all"}, Add: []string{"NET_BIND_SERVICE"}}, "0000000000000400"},
		{orders.Capabilities{Drop: []string{"ALL"}, Add: []string{"CAP_CHOWN", "kill"}}, "0000000000000021"},
	} {
		capabilities, err := capabilitiesOf(&row.wanted)
		if err != nil {
			t.Fatal(err)
		}
		spec := plain.With([]string{"cat", "/proc/self/status"})
		spec.Capabilities = capabilities
		output, _, start := run(t, spec)
		if start != nil {
			t.Fatal(start)
		}
		for _, name := range []string{"CapBnd", "CapEff", "CapPrm"} {
			if got := status(output, name); got != row.want {
				t.Errorf("%+v: %s %s, not %s", row.wanted, name, got, row.want)
			}
		}
	}
	for _, wanted := range []orders.Capabilities{{Add: []string{"ALL"}}, {Drop: []string{"NONSENSE"}}, {Add: []string{"NONSENSE"}}} {
		if _, err := capabilitiesOf(&wanted); err == nil {
			t.Errorf("%+v is taken", wanted)
		}
	}
}

func TestWantedCredential(t *testing.T) {
	number := func(value int) *int { return &value }
	find := func(uid int) (accounts.User, []int, bool) {
		return accounts.User{Name: "web", UID: 1000, GID: 1001, Home: "/srv"}, []int{4}, uid == 1000
	}
	current := Credential{UID: 0, GID: 0, Groups: []int{0, 1}}
	for _, row := range []struct {
		user orders.User
		want Credential
	}{
		{orders.User{UID: number(1000)}, Credential{1000, 1001, []int{1001, 4}}},
		{orders.User{UID: number(1000), Strict: true}, Credential{1000, 1001, []int{1001}}},
		{orders.User{UID: number(1000), GID: number(5), Groups: []int{9, 4}}, Credential{1000, 5, []int{5, 4, 9}}},
		{orders.User{UID: number(7)}, Credential{7, 0, []int{0}}},
		{orders.User{GID: number(5)}, Credential{0, 5, []int{5, 0, 1}}},
		{orders.User{Groups: []int{9}}, Credential{0, 0, []int{0, 1, 9}}},
	} {
		if got := wantedCredential(&row.user, current, find); got.UID != row.want.UID || got.GID != row.want.GID || !slices.Equal(got.Groups, row.want.Groups) {
			t.Errorf("%+v: %+v, not %+v", row.user, got, row.want)
		}
	}
}

func TestPrepare(t *testing.T) {
	program := orders.Program{
		Argv:       []orders.Text{{Value: "$(A)"}, {Value: "$(A)/$(B)", Template: true}},
		Env:        []orders.Variable{{Name: "A", Value: orders.Text{Value: "1"}}},
		WorkingDir: orders.Text{Value: "/w/$(A)", Template: true},
		SetHome:    true,
	}
	got, start := Prepare(&program, []string{"HOME=/x", "B=2"})
	if start != nil || !slices.Equal(got.Argv, []string{"$(A)", "1/$(B)"}) || got.Dir != "/w/1" {
		t.Errorf("%+v, %v", got, start)
	}
	if os.Geteuid() == 0 && !slices.Equal(got.Env, []string{"HOME=/root", "B=2", "A=1"}) {
		t.Errorf("%q", got.Env)
	}
}
