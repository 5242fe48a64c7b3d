// Package orders is what the app asks of the agent: one JSON document for each container, and one for `install`.
package orders

import "time"

// SchemaVersion is the only version that this agent reads.
const SchemaVersion = 1

// Kinds of documents.
const (
	KindContainer = "container"
	KindGroup     = "group"
)

// Pod names the pod as the API server does.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
}

// Report is where reports go, and the key that signs them.
type Report struct {
	// URL is `https://APP/api/pods/UID/reports`.
	URL string `json:"url"`
	// FilesURL is `https://APP/api/pods/UID/files`, where live volumes come from.
	FilesURL string `json:"filesUrl,omitempty"`
	// KID names the root key that Key was derived from.
	KID string `json:"kid"`
	Key []byte `json:"key"`
	// Roots are certificates in PEM that are trusted beside the embedded ones.
	Roots string `json:"roots,omitempty"`
	// FlushSeconds is how long an end may wait for its report to be answered; 10 where it is not said.
	FlushSeconds *int `json:"flushSeconds,omitempty"`
}

const defaultPatience = 10 * time.Second

// Patience is how long an end waits for its report to be answered.
func (r *Report) Patience() time.Duration {
	if r == nil || r.FlushSeconds == nil {
		return defaultPatience
	}
	return time.Duration(*r.FlushSeconds) * time.Second
}

// Header is the same in both documents.
type Header struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	Pod           Pod    `json:"pod"`
	// Nonce is of the PUT that made the group.
	Nonce  string  `json:"nonce"`
	Report *Report `json:"report,omitempty"`
	// StateDir is where the group's shared folder is; /.sk-run where it is not said.
	StateDir string `json:"stateDir,omitempty"`
}

// State is where the group's shared folder is.
func (h *Header) State() string {
	if h.StateDir == "" {
		return "/.sk-run"
	}
	return h.StateDir
}

// Modes of a container.
const (
	ModeExec      = "exec"
	ModeSupervise = "supervise"
)

// Container is the orders of one container.
type Container struct {
	Header
	Container string       `json:"container"`
	Mode      string       `json:"mode"`
	Program   Program      `json:"program"`
	Hosts     *OwnHost     `json:"hosts,omitempty"`
	SubPaths  []SubPath    `json:"subPaths,omitempty"`
	Supervise *Supervise   `json:"supervise,omitempty"`
	Live      []LiveVolume `json:"live,omitempty"`
}

// Program is what runs in the container, and as whom.
type Program struct {
	Argv []Text `json:"argv"`
	// Env is set on top of what the container has, in this order.
	Env        []Variable `json:"env,omitempty"`
	WorkingDir Text       `json:"workingDir,omitzero"`
	User       *User      `json:"user,omitempty"`
	// SetHome gives the program the home folder of its user as HOME: neither the image nor the pod has named one.
	SetHome         bool          `json:"setHome,omitempty"`
	Capabilities    *Capabilities `json:"capabilities,omitempty"`
	NoNewPrivileges bool          `json:"noNewPrivileges,omitempty"`
	Stdin           bool          `json:"stdin,omitempty"`
	StdinOnce       bool          `json:"stdinOnce,omitempty"`
	TTY             bool          `json:"tty,omitempty"`
}

// User is whom the program runs as; what is absent stays as the image has it.
type User struct {
	UID *int `json:"uid,omitempty"`
	GID *int `json:"gid,omitempty"`
	// Groups are supplementalGroups and fsGroup.
	Groups []int `json:"groups,omitempty"`
	// Strict leaves out the groups that the image's /etc/group gives the user (supplementalGroupsPolicy).
	Strict bool `json:"strict,omitempty"`
}

// Capabilities are names without CAP_, or ALL.
type Capabilities struct {
	Add  []string `json:"add,omitempty"`
	Drop []string `json:"drop,omitempty"`
}

// Variable is one of the environment: a value, or the address of the pod.
type Variable struct {
	Name  string `json:"name"`
	Value Text   `json:"value,omitzero"`
	// Field is `status.podIP` or `status.podIPs`.
	Field string `json:"field,omitempty"`
}

// OwnHost is the pod's line of /etc/hosts, whose address is known only when the container starts.
type OwnHost struct {
	Hostname string `json:"hostname"`
	// Domain is `SUBDOMAIN.NAMESPACE.svc.DOMAIN`; empty where the pod names no subdomain.
	Domain string `json:"domain,omitempty"`
}

// SubPath is a file or folder of a volume that is to be at another place of the container.
type SubPath struct {
	// Name is the volume's in the pod, for messages.
	Name string `json:"name"`
	// Volume is where the whole volume is mounted.
	Volume    string `json:"volume"`
	Path      Text   `json:"path"`
	MountPath string `json:"mountPath"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
}

// LiveVolume is one whose files the app gives anew when it says `refresh`.
type LiveVolume struct {
	Name string `json:"name"`
	// Path is where the volume is mounted writable for the agent.
	Path string `json:"path"`
}
