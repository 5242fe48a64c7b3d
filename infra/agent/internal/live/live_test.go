package live

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/report"
)

// serve is an app that answers as the test says, and what it was asked.
func serve(t *testing.T, status int, answer string) (Volumes, *request, string) {
	t.Helper()
	asked := &request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, asked) != nil || r.Header.Get("Authorization") != appclient.Sign([]byte("key"), body) {
			t.Errorf("%q %v", body, r.Header)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	r := &orders.Report{Key: []byte("key"), FilesURL: server.URL}
	client, err := appclient.New(r)
	if err != nil {
		t.Fatal(err)
	}
	container := &orders.Container{Header: orders.Header{Report: r}, Live: []orders.LiveVolume{{Name: "conf", Path: dir}, {Name: "gone", Path: "/none"}}}
	return Volumes{Container: container, Identity: report.Identity{PodUID: "u", BootID: "b"}, Client: client}, asked, dir
}

func TestRefresh(t *testing.T) {
	volumes, asked, dir := serve(t, 200, `{"volumes":[{"name":"conf","revision":"8","files":[{"path":"d/a","mode":256,"data":"MQ=="}]}]}`)
	now, err := volumes.Refresh(t.Context(), map[string]string{"conf": "7", "other": "x"})
	if err != nil || now["conf"] != "8" || len(now) != 1 {
		t.Errorf("%v, %v", now, err)
	}
	if asked.PodUID != "u" || asked.BootID != "b" || len(asked.Volumes) != 2 || asked.Volumes[0] != (Revision{"conf", "7"}) {
		t.Errorf("%+v", asked)
	}
	info, err := os.Stat(filepath.Join(dir, "d", "a"))
	if err != nil || info.Mode().Perm() != 0o400 || info.Size() != 1 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestWhatDoesNotChangeAnything(t *testing.T) {
	for _, row := range []struct {
		status    int
		answer    string
		why       string
		isRefused bool
	}{
		{200, `{"volumes":[]}`, "", false},
		{200, `{}`, "", false},
		{200, `nonsense`, "the app's answer", false},
		{200, `{"volumes":[{"name":"conf","files":[{"path":"../a","mode":256}]}]}`, "no clean path", false},
		{200, `{"volumes":[{"name":"conf","files":[{"path":"a","mode":4096}]}]}`, "a mode is from", false},
		{200, `{"volumes":[{"name":"foreign","files":[]}]}`, "not one of this container's", false},
		{200, `{"volumes":[{"name":"gone","files":[]}]}`, `MountVolume.SetUp failed for volume "gone" : `, false},
		{200, strings.Repeat("x", maxAnswer+1), "longer than", false},
		{503, ``, "503 Service Unavailable", false},
		{404, ``, "404 Not Found", false},
		{410, ``, "410 Gone", true},
	} {
		volumes, _, dir := serve(t, row.status, row.answer)
		now, err := volumes.Refresh(t.Context(), map[string]string{"conf": "7"})
		if (err == nil) != (row.why == "") || err != nil && !strings.Contains(err.Error(), row.why) || errors.Is(err, ErrRefused) != row.isRefused || now["conf"] != "7" {
			t.Errorf("%.60s: %v, %v", row.answer, now, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("%.60s: %v, %v", row.answer, entries, err)
		}
	}
}

func TestOneThatFailsKeepsNoOtherBack(t *testing.T) {
	volumes, _, _ := serve(t, 200, `{"volumes":[{"name":"gone","revision":"9","files":[]},{"name":"conf","revision":"8","files":[]}]}`)
	now, err := volumes.Refresh(t.Context(), nil)
	if err == nil || now["conf"] != "8" || now["gone"] != "" {
		t.Errorf("%v, %v", now, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"volumes":[{"name":"conf","revision":"8","files":[{"path":"d/a","mode":256,"data":"MQ=="}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parse(body)
		if err != nil {
			return
		}
		for _, one := range list {
			for _, file := range one.Files {
				if strings.HasPrefix(file.Path, "/") || strings.HasPrefix(file.Path, "..") || strings.Contains(file.Path, "/../") {
					t.Fatalf("%q", file.Path)
				}
			}
		}
	})
}
