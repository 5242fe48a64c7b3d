package orders

// Group is the orders of `install`.
type Group struct {
	Header
	// Containers get a folder in the state directory.
	Containers []StateFolder `json:"containers"`
	Volumes    []Volume      `json:"volumes,omitempty"`
	Hosts      []HostAlias   `json:"hosts,omitempty"`
	// Hostname is what /etc/hostname is to say.
	Hostname string `json:"hostname,omitempty"`
}

// StateFolder is of one container.
type StateFolder struct {
	Name string `json:"name"`
	// UID is of the image's user; absent where only a name is known, and then the folder is everybody's.
	UID *int `json:"uid,omitempty"`
	// Orders is where install sees the container's orders: they are made readable for that user alone.
	Orders string `json:"orders,omitempty"`
}

// HostAlias is as in the API.
type HostAlias struct {
	IP        string   `json:"ip"`
	Hostnames []string `json:"hostnames"`
}

// Layouts of a volume of files.
const (
	// LayoutFlat leaves the files where ACI put them.
	LayoutFlat = "flat"
	// LayoutData is a kubelet's: a folder of its own for each version, which `..data` points to.
	LayoutData = "data"
)

// Volume is one that install prepares.
type Volume struct {
	Name string `json:"name"`
	// Path is where the volume is mounted writable for install.
	Path string `json:"path"`
	// Source is the folder that ACI put the files into; Path where it is not said.
	Source string `json:"source,omitempty"`
	Layout string `json:"layout,omitempty"`
	Files  []File `json:"files,omitempty"`
	// UID becomes the owner of all of it where it is said: who runs the agent that refreshes the volume.
	UID *int `json:"uid,omitempty"`
	// FSGroup is the pod's.
	FSGroup *int `json:"fsGroup,omitempty"`
	// ReadOnly is of volumes whose group may read only.
	ReadOnly bool `json:"readOnly,omitempty"`
}

// File is one of a volume.
type File struct {
	// From is its name in the source.
	From string `json:"from"`
	// Path is its path in the volume, with folders where there are any.
	Path string `json:"path"`
	// Mode is a number, as in the API: 420 is 0644.
	Mode int `json:"mode"`
}
