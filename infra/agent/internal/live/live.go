// Package live brings volumes up to date while a container runs: the app says that something has changed, and what it is
// is fetched with the pod's key.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"time"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/volume"
)

// maxAnswer is more than a group's volumes can hold together (ARM takes 4 MB).
const maxAnswer = 8 << 20

// Revision is which version of a volume is there; empty: that of the group's creation.
type Revision struct {
	Name     string `json:"name"`
	Revision string `json:"revision,omitempty"`
}

type request struct {
	report.Identity
	SentAt  time.Time  `json:"sentAt"`
	Volumes []Revision `json:"volumes"`
}

type file struct {
	Path string `json:"path"`
	Mode int    `json:"mode"`
	Data []byte `json:"data"`
}

type changed struct {
	Revision
	Files []file `json:"files"`
}

// ErrRefused is an answer that asking again would not change.
var ErrRefused = errors.New("refused")

// Volumes are those of a container that the app keeps up to date.
type Volumes struct {
	Container *orders.Container
	Identity  report.Identity
	Client    *appclient.Client
}

// Refresh fetches what has changed since the revisions and writes it; what is there now comes back, also beside an error:
// one volume that can't be written keeps no other from it.
func (v Volumes) Refresh(ctx context.Context, revisions map[string]string) (map[string]string, error) {
	now := make(map[string]string, len(v.Container.Live))
	ask := request{Identity: v.Identity, SentAt: time.Now().UTC(), Volumes: []Revision{}}
	for _, one := range v.Container.Live {
		if known := revisions[one.Name]; known != "" {
			now[one.Name] = known
		}
		ask.Volumes = append(ask.Volumes, Revision{one.Name, revisions[one.Name]})
	}
	list, err := v.fetch(ctx, ask)
	if err != nil {
		return now, err
	}
	var failures []error
	for _, one := range list {
		if err := v.write(one); err != nil {
			failures = append(failures, fmt.Errorf("MountVolume.SetUp failed for volume %q : %w", one.Name, err))
			continue
		}
		now[one.Name] = one.Revision.Revision
	}
	return now, errors.Join(failures...)
}

func (v Volumes) fetch(ctx context.Context, ask request) ([]changed, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	answer, err := v.Client.Post(ctx, v.Container.Report.FilesURL, body, maxAnswer)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(report.Definite, answer.Status):
		return nil, fmt.Errorf("the app answered %d %s: %w", answer.Status, http.StatusText(answer.Status), ErrRefused)
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("the app answered %d %s", answer.Status, http.StatusText(answer.Status))
	}
	return parse(answer.Body)
}

func parse(body []byte) ([]changed, error) {
	var list struct {
		Volumes []changed `json:"volumes"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("the app's answer: %w", err)
	}
	for _, one := range list.Volumes {
		for _, file := range one.Files {
			if err := orders.CheckFile(file.Path, file.Mode); err != nil {
				return nil, fmt.Errorf("the app's answer: %w", err)
			}
		}
	}
	return list.Volumes, nil
}

func (v Volumes) write(one changed) error {
	index := slices.IndexFunc(v.Container.Live, func(live orders.LiveVolume) bool { return live.Name == one.Name })
	if index < 0 {
		return errors.New("it is not one of this container's live volumes")
	}
	root, err := os.OpenRoot(v.Container.Live[index].Path)
	if err != nil {
		return err
	}
	defer root.Close()
	var files []volume.File
	for _, file := range one.Files {
		files = append(files, volume.File{Path: file.Path, Mode: fs.FileMode(file.Mode), Data: file.Data})
	}
	return volume.WriteVersion(root, files, time.Now())
}
