package integration

import (
	"net/netip"
	"strings"
	"testing"

	"serverless-kubelet.local/agent/internal/report"
)

func TestExecMode(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", `"mode":"exec","program":{
		"argv":["sh","-c","echo $$ $0 $1 $OF_THE_IMAGE $HOME $(pwd) $(id -u):$(id -g):$(id -G);  cat /etc/app.conf; ls /data; echo e >&2","name",{"template":"$(IP)"}],
		"env":[{"name":"HOSTNAME","value":"web-0.web.ns.svc"},{"name":"IP","field":"status.podIP"}],
		"workingDir":"/made/here","user":{"uid":1000,"groups":[2000]},"setHome":true,"noNewPrivileges":true},
		"hosts":{"hostname":"web-0","domain":"web.ns.svc"},
		"subPaths":[{"name":"v","volume":"/vol","path":"app.conf","mountPath":"/etc/app.conf","readOnly":true},
			{"name":"v","volume":"/vol","path":"sub","mountPath":"/data"}]`)
	c.write("vol/app.conf", "x=1\n", 0o644)
	r := c.start()
	if code := r.wait(); code != 0 {
		t.Fatal(code, p.dump())
	}
	address, rest, _ := strings.Cut(strings.TrimPrefix(r.stdout.String(), "1 name "), " ")
	if _, err := netip.ParseAddr(address); err != nil || rest != "1 /srv/web /made/here 1000:1001:1001 4 2000\nx=1\n" || r.stderr.String() != "e\n" {
		t.Errorf("%q %q %v", &r.stdout, &r.stderr, err)
	}
	// A shell drops such names; other programs don't.
	c.order(`"mode":"exec","program":{"argv":["env"],"env":[{"name":"a.b-c","value":"dotted"}]}`)
	if r = c.start(); r.wait() != 0 || !strings.Contains(r.stdout.String(), "\na.b-c=dotted\n") {
		t.Errorf("%q", &r.stdout)
	}
	if got := c.read("etc/hosts"); !strings.Contains(got, "\tweb-0.web.ns.svc\tweb-0\n") {
		t.Errorf("%q", got)
	}
	if got := c.read("etc/hostname"); got != "web-0.web.ns.svc\n" {
		t.Errorf("%q", got)
	}
}

func TestExecModeThatDoesNotStart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, orders string
		code         int
		reason, text string
	}{
		{"none", `"mode":"exec","program":{"argv":["nope"]}`, 127, "StartError", `exec: "nope": executable file not found in $PATH`},
		{"folder", `"mode":"exec","program":{"argv":["/etc"]}`, 126, "StartError", `exec: "/etc": is a directory`},
		{"out", `"mode":"exec","program":{"argv":["true"]},"subPaths":[{"name":"v","volume":"/vol","path":"../etc","mountPath":"/x"}]`,
			125, "CreateContainerConfigError", `failed to prepare subPath for volumeMount "v" of container "out"`},
		{"supervised", `"mode":"supervise","program":{"argv":["nope"]},"supervise":{"restartPolicy":"Never","graceSeconds":1}`, 127, "StartError", "not found"},
	} {
		p := newPod(t)
		r := p.container(row.name, row.orders).start()
		if code := r.wait(); code != row.code || r.stdout.Len()+r.stderr.Len() > 0 {
			t.Errorf("%s: %d %q %q", row.name, code, &r.stdout, &r.stderr)
		}
		p.await(row.name, func(m report.Message) bool {
			end := m.State.Ended
			return m.Container == row.name && end != nil && end.ExitCode == row.code && end.Reason == row.reason && strings.Contains(end.Message, row.text)
		})
	}
	r := newPod(t).container("web", `"mode":"exec","colour":"red"`).start()
	if code := r.wait(); code != 125 || r.stdout.Len()+r.stderr.Len() > 0 {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
}

func TestAnotherUserThanTheImages(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", `"mode":"exec","program":{"argv":["id","-u"],"user":{"uid":1000}}`)
	c.must(chown(c.at(".sk-orders/orders"), 1001))
	r := c.startAs([]string{"--userspec=1001:1001"})
	if code := r.wait(); code != 125 {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
	p.await("the field", func(m report.Message) bool {
		return m.State.Ended != nil && m.State.Ended.Reason == "CreateContainerConfigError" &&
			m.State.Ended.Message == "securityContext.runAsUser: the image starts as user 1001, which can't become 1000"
	})
	c.order(`"mode":"exec","program":{"argv":["id","-u"],"user":{"uid":1001,"gid":1001}}`)
	c.must(chown(c.at(".sk-orders/orders"), 1001))
	r = c.startAs([]string{"--userspec=1001:1001"})
	if code := r.wait(); code != 0 || r.stdout.String() != "1001\n" {
		t.Errorf("%d %q %q %s", code, &r.stdout, &r.stderr, p.dump())
	}
}
