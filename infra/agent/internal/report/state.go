// Package report brings the state of a container to the app.
package report

import (
	"time"

	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/statedir"
)

// Phases of a container.
const (
	Waiting = "waiting"
	Running = "running"
	Ended   = "ended"
	// Parked has ended, and process 1 stays so that nothing starts it again.
	Parked = "parked"
)

// Reason is why something waits.
type Reason struct {
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}

// State is all there is to know of a container.
type State struct {
	Phase     string            `json:"phase"`
	Waiting   *Reason           `json:"waiting,omitempty"`
	StartedAt time.Time         `json:"startedAt,omitzero"`
	Started   bool              `json:"started"`
	Ready     bool              `json:"ready"`
	Restarts  int               `json:"restarts"`
	Ended     *statedir.Ended   `json:"ended,omitempty"`
	LastEnded *statedir.Ended   `json:"lastEnded,omitempty"`
	Final     bool              `json:"final"`
	DrainBy   time.Time         `json:"drainBy,omitzero"`
	Volumes   map[string]string `json:"volumes,omitempty"`
}

// Types of events.
const (
	Normal  = "Normal"
	Warning = "Warning"
)

// Event is one in the pod's list of events.
type Event struct {
	N       int       `json:"n"`
	Type    string    `json:"type"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int       `json:"count"`
	FirstAt time.Time `json:"firstAt"`
	LastAt  time.Time `json:"lastAt"`
}

// Identity is whose report it is.
type Identity struct {
	SchemaVersion int    `json:"schemaVersion"`
	PodUID        string `json:"podUid"`
	Nonce         string `json:"nonce"`
	KID           string `json:"kid"`
	Container     string `json:"container"`
	BootID        string `json:"bootId"`
}

// IdentityOf is that of a container, or of install where it is empty.
func IdentityOf(header *orders.Header, container, bootID string) Identity {
	identity := Identity{
		SchemaVersion: orders.SchemaVersion, PodUID: header.Pod.UID, Nonce: header.Nonce,
		Container: container, BootID: bootID,
	}
	if header.Report != nil {
		identity.KID = header.Report.KID
	}
	return identity
}

// Message is one report as it is sent.
type Message struct {
	Identity
	Number int       `json:"number"`
	SentAt time.Time `json:"sentAt"`
	State  State     `json:"state"`
	Events []Event   `json:"events,omitempty"`
}
