package environment

import (
	"errors"
	"slices"
	"testing"

	"serverless-kubelet.local/agent/internal/orders"
)

func TestApply(t *testing.T) {
	addresses := func() ([]string, error) { return []string{"10.0.0.4", "fd00::4"}, nil }
	env := New([]string{"PATH=/bin", "A=1", "A=2", "odd", "HOME="})
	lookup, err := env.Apply([]orders.Variable{
		{Name: "IP", Field: orders.FieldPodIP},
		{Name: "IPS", Field: orders.FieldPodIPs},
		{Name: "a.b-c", Value: orders.Text{Value: "$(IP)"}},
		{Name: "URL", Value: orders.Text{Value: "http://$(IP)/$(PATH)/$(LATER)", Template: true}},
		{Name: "A", Value: orders.Text{Value: "3"}},
		{Name: "LATER", Value: orders.Text{Value: "x=y"}},
	}, addresses)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PATH=/bin", "A=3", "A=2", "odd", "HOME=", "IP=10.0.0.4", "IPS=10.0.0.4,fd00::4", "a.b-c=$(IP)",
		"URL=http://10.0.0.4/$(PATH)/$(LATER)", "LATER=x=y",
	}
	if !slices.Equal(env.List(), want) {
		t.Errorf("%q", env.List())
	}
	if value, known := lookup("LATER"); !known || value != "x=y" {
		t.Errorf("LATER: %q", value)
	}
	if _, known := lookup("PATH"); known {
		t.Error("what the orders don't set is no template's")
	}
	if value, known := env.Get("HOME"); !known || value != "" {
		t.Errorf("HOME: %q, %v", value, known)
	}
}

func TestNoAddress(t *testing.T) {
	none := func() ([]string, error) { return nil, errors.New("no address yet") }
	if _, err := New(nil).Apply([]orders.Variable{{Name: "IP", Field: orders.FieldPodIP}}, none); err == nil ||
		err.Error() != "env IP: status.podIP: no address yet" {
		t.Error(err)
	}
	if _, err := New(nil).Apply([]orders.Variable{{Name: "A", Value: orders.Text{Value: "1"}}}, none); err != nil {
		t.Error("nobody asked for one:", err)
	}
}
