package orders

import (
	"encoding/json"
	"strings"
	"testing"
)

const head = `"schemaVersion":1,"pod":{"namespace":"n","name":"p","uid":"u"},"nonce":"x"`

func container(members string) string {
	return `{` + head + `,"kind":"container","container":"web","mode":"exec","program":{"argv":["a"]}` + members + `}`
}

func supervised(members string) string {
	return `{` + head + `,"kind":"container","container":"web","mode":"supervise","program":{"argv":["a"]},` +
		`"supervise":{"restartPolicy":"Always","graceSeconds":30` + members + `}}`
}

func group(members string) string {
	return `{` + head + `,"kind":"group","containers":[]` + members + `}`
}

func TestWhatIsTaken(t *testing.T) {
	for _, text := range []string{
		container(""),
		container(`,"subPaths":[{"name":"c","volume":"/.sk-v/0","path":{"template":"$(IP)/a"},"mountPath":"/etc/a"}]`),
		container(`,"report":{"url":"https://a/api","kid":"1","key":"MDEyMzQ1Njc4OWFiY2RlZg=="}`),
		supervised(""),
		supervised(`,"livenessProbe":{"httpGet":{"port":80,"httpHeaders":[{"name":"a","value":"b"}]},"periodSeconds":3}`),
		supervised(`,"preStop":{"sleep":{"seconds":5}}`),
		supervised(`,"restart":{"policy":"Never","rules":[{"action":"Restart","exitCodes":{"operator":"In","values":[42]}}]}`),
	} {
		if _, err := ParseContainer([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		group(""),
		group(`,"volumes":[{"name":"c","path":"/.sk-v/0","layout":"data","files":[{"from":"0","path":"a/b","mode":256}]}]`),
		group(`,"hosts":[{"ip":"fd00::1","hostnames":["a.b"]}],"hostname":"web-0"`),
	} {
		if _, err := ParseGroup([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	file := func(path string, mode string) string {
		return group(`,"volumes":[{"name":"c","path":"/v","layout":"data","files":[{"from":"0","path":"` + path + `","mode":` + mode + `}]}]`)
	}
	for _, row := range []struct{ text, why string }{
		{``, "unexpected end"},
		{`[]`, "cannot unmarshal"},
		{`{"schemaVersion":2,"kind":"container"}`, "schemaVersion 2 is not that of this agent, 1"},
		{group(""), `of kind "group" instead of "container"`},
		{container(`,"colour":"red"`), `unknown field "colour"`},
		{container("") + container(""), "invalid character"},
		{container("") + " {}", "invalid character"},
		{strings.Replace(container(""), `["a"]`, `[]`, 1), "program.argv is empty"},
		{strings.Replace(container(""), `["a"]`, `["a\u0000"]`, 1), "program.argv has a NUL"},
		{strings.Replace(container(""), `["a"]`, `[{}]`, 1), "a text is a string or has a template"},
		{strings.Replace(container(""), `"web"`, `"../web"`, 1), "is no name"},
		{strings.Replace(container(""), `"exec"`, `"supervise"`, 1), "supervise is of mode supervise"},
		{container(`,"subPaths":[{"name":"c","volume":"v","path":"a","mountPath":"/a"}]`), "no clean absolute path"},
		{container(`,"subPaths":[{"name":"c","volume":"/v","path":"a","mountPath":"/"}]`), "the root can't be replaced"},
		{container(`,"hosts":{"hostname":"a b"}`), "hosts"},
		{container(`,"stateDir":"/a/../b"`), "stateDir"},
		{container(`,"report":{"url":"ftp://a","kid":"1","key":"MDEyMzQ1Njc4OWFiY2RlZg=="}`), "report.url"},
		{container(`,"report":{"url":"https://a","kid":"1","key":"MDEy"}`), "kid and key are needed"},
		{container(`,"live":[{"name":"c","path":"/v"}]`), "filesUrl is needed"},
		{supervised(`,"livenessProbe":{}`), "has 0 handlers instead of one"},
		{supervised(`,"livenessProbe":{"tcpSocket":{"port":0}}`), "0 is no port"},
		{supervised(`,"livenessProbe":{"sleep":{"seconds":1}}`), "sleep is of hooks"},
		{supervised(`,"preStop":{"grpc":{"port":1}}`), "grpc is of probes"},
		{supervised(`,"livenessProbe":{"tcpSocket":{"port":1},"periodSeconds":-1}`), "periodSeconds: -1"},
	} {
		if orders, err := ParseContainer([]byte(row.text)); err == nil || orders != nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, not %q", row.text, err, row.why)
		}
	}
	for _, row := range []struct{ text, why string }{
		{file("../a", "256"), "no clean path"},
		{file("a/../../b", "256"), "no clean path"},
		{file("/a", "256"), "no clean path"},
		{file("..data", "256"), "a kubelet's own files"},
		{file("a", "512"), "a mode is from 0 to 511"},
		{strings.Replace(file("a/b", "256"), "data", "flat", 1), "in a flat layout"},
		{group(`,"hosts":[{"ip":"1.2.3","hostnames":["a"]}]`), "hosts"},
		{group(`,"hosts":[{"ip":"1.2.3.4","hostnames":["a\nb"]}]`), "hosts"},
	} {
		if _, err := ParseGroup([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, not %q", row.text, err, row.why)
		}
	}
}

func TestExpand(t *testing.T) {
	known := map[string]string{"IP": "10.0.0.4", "A": "$(IP)"}
	lookup := func(name string) (string, bool) { value, ok := known[name]; return value, ok }
	for template, want := range map[string]string{
		"":                  "",
		"plain":             "plain",
		"http://$(IP):80/":  "http://10.0.0.4:80/",
		"$(NONE)":           "$(NONE)",
		"$$(IP)":            "$(IP)",
		"$$$(IP)":           "$10.0.0.4",
		"$(A)":              "$(IP)",
		"a$":                "a$",
		"$(IP":              "$(IP",
		"$x$":               "$x$",
		"$()":               "$()",
		"$(NONE$(IP))":      "$(NONE$(IP))",
		"100$ and $(IP) $$": "100$ and 10.0.0.4 $",
	} {
		if got := (Text{template, true}).Expand(lookup); got != want {
			t.Errorf("%q: %q, not %q", template, got, want)
		}
		if got := (Text{template, false}).Expand(lookup); got != template {
			t.Errorf("literal %q: %q", template, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{container(""), supervised(`,"startupProbe":{"exec":{"command":["a"]}}`), group(`,"hostname":"a"`), `{"schemaVersion":1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if orders, err := ParseContainer(data); err == nil {
			again, err := json.Marshal(orders)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseContainer(again); err != nil {
				t.Fatalf("%s is taken, and %s is not: %v", data, again, err)
			}
		}
		if orders, err := ParseGroup(data); err == nil {
			for _, volume := range orders.Volumes {
				for _, file := range volume.Files {
					if strings.HasPrefix(file.Path, "/") || strings.HasPrefix(file.Path, "..") {
						t.Fatalf("leads out of its volume: %q", file.Path)
					}
				}
			}
		}
	})
}

func FuzzExpand(f *testing.F) {
	f.Add("$(A)$$")
	f.Fuzz(func(t *testing.T, template string) {
		nothing := func(string) (string, bool) { return "", false }
		if strings.Contains(template, "$$") {
			return
		}
		if got := (Text{template, true}).Expand(nothing); got != template {
			t.Fatalf("%q became %q", template, got)
		}
	})
}
