package orders

// Restart policies, as in the API.
const (
	Always    = "Always"
	OnFailure = "OnFailure"
	Never     = "Never"
)

// Supervise is what the agent does beside the program.
type Supervise struct {
	// RestartPolicy is the group's: whether ACI starts a container again that ends.
	RestartPolicy string `json:"restartPolicy"`
	// GraceSeconds is terminationGracePeriodSeconds of the pod.
	GraceSeconds int `json:"graceSeconds"`
	// StopSignal is the pod's or the image's; SIGTERM where neither has one.
	StopSignal string `json:"stopSignal,omitempty"`
	// Once is of an init container that runs as an ordinary one: its success is final, whatever the group's policy.
	Once bool `json:"once,omitempty"`
	// After is what has to be so before the program starts.
	After []Condition `json:"after,omitempty"`
	// EndAfter names the containers after whose end this one, a sidecar, is ended.
	EndAfter    []string     `json:"endAfter,omitempty"`
	Restart     *Restart     `json:"restart,omitempty"`
	Termination *Termination `json:"termination,omitempty"`

	StartupProbe   *Probe `json:"startupProbe,omitempty"`
	LivenessProbe  *Probe `json:"livenessProbe,omitempty"`
	ReadinessProbe *Probe `json:"readinessProbe,omitempty"`

	PostStart *Handler `json:"postStart,omitempty"`
	PreStop   *Handler `json:"preStop,omitempty"`
}

// Condition is a state of another container.
type Condition struct {
	Container string `json:"container"`
	// Until is `started` (a sidecar) or `succeeded` (an init container).
	Until string `json:"until"`
}

// Restart makes the agent start an ended program again, in the same container.
type Restart struct {
	Policy string        `json:"policy"`
	Rules  []RestartRule `json:"rules,omitempty"`
	// The back-off of a kubelet where they are not said: 10 s, 300 s, and none after 600 s of running.
	InitialSeconds int `json:"initialSeconds,omitempty"`
	MaxSeconds     int `json:"maxSeconds,omitempty"`
	ResetSeconds   int `json:"resetSeconds,omitempty"`
}

// RestartRule is one of restartPolicyRules: the first that fits an exit code decides.
type RestartRule struct {
	Action    string    `json:"action"`
	ExitCodes ExitCodes `json:"exitCodes"`
}

// ExitCodes fits a code that is in the values, or is not.
type ExitCodes struct {
	Operator string `json:"operator"`
	Values   []int  `json:"values"`
}

// Policies of Termination.
const (
	MessageFromFile = "File"
	MessageFromLogs = "FallbackToLogsOnError"
)

// Termination is where the last words of the program come from.
type Termination struct {
	Path   string `json:"path"`
	Policy string `json:"policy"`
	// KeepLog makes the agent keep the end of the program's output, for MessageFromLogs and for who asks for it when the next
	// run runs. Then stdout and stderr of the program are pipes that the agent reads; otherwise they are the container's own.
	KeepLog bool `json:"keepLog,omitempty"`
}

// Probe has the members and defaults of the API; ports are numbers.
type Probe struct {
	Handler
	InitialDelaySeconds           int  `json:"initialDelaySeconds,omitempty"`
	PeriodSeconds                 int  `json:"periodSeconds,omitempty"`
	TimeoutSeconds                int  `json:"timeoutSeconds,omitempty"`
	SuccessThreshold              int  `json:"successThreshold,omitempty"`
	FailureThreshold              int  `json:"failureThreshold,omitempty"`
	TerminationGracePeriodSeconds *int `json:"terminationGracePeriodSeconds,omitempty"`
}

// Handler is exactly one of its members.
type Handler struct {
	Exec      *Exec      `json:"exec,omitempty"`
	HTTPGet   *HTTPGet   `json:"httpGet,omitempty"`
	TCPSocket *TCPSocket `json:"tcpSocket,omitempty"`
	GRPC      *GRPC      `json:"grpc,omitempty"`
	Sleep     *Sleep     `json:"sleep,omitempty"`
}

// Exec is a command in the container.
type Exec struct {
	Command []string `json:"command"`
}

// HTTPGet asks the pod's own address where no host is named.
type HTTPGet struct {
	Path    string       `json:"path,omitempty"`
	Port    int          `json:"port"`
	Host    string       `json:"host,omitempty"`
	Scheme  string       `json:"scheme,omitempty"`
	Headers []HTTPHeader `json:"httpHeaders,omitempty"`
}

// HTTPHeader is one line of a request.
type HTTPHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TCPSocket is a connection that can be opened.
type TCPSocket struct {
	Port int    `json:"port"`
	Host string `json:"host,omitempty"`
}

// GRPC is the health protocol of gRPC.
type GRPC struct {
	Port    int    `json:"port"`
	Service string `json:"service,omitempty"`
}

// Sleep is of hooks only.
type Sleep struct {
	Seconds int `json:"seconds"`
}
