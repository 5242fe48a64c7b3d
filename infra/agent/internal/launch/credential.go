package launch

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/accounts"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
)

// Credential is who a process is.
type Credential struct {
	UID    int   `json:"uid"`
	GID    int   `json:"gid"`
	Groups []int `json:"groups"`
}

func currentCredential() Credential {
	groups, err := unix.Getgroups()
	if err != nil {
		groups = nil
	}
	return Credential{UID: os.Geteuid(), GID: os.Getegid(), Groups: groups}
}

func (c Credential) equals(other Credential) bool {
	// Whether its own group is in the list too differs between runtimes, and changes nothing.
	all := func(c Credential) []int {
		list := append(slices.Clone(c.Groups), c.GID)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return c.UID == other.UID && c.GID == other.GID && slices.Equal(all(c), all(other))
}

// credentialOf is whom the orders ask for; nil where that is who the agent is already.
func credentialOf(user *orders.User) (*Credential, *fault.Start) {
	if user == nil {
		return nil, nil
	}
	current := currentCredential()
	wanted := wantedCredential(user, current, accounts.Lookup)
	if wanted.equals(current) {
		return nil, nil
	}
	switch {
	case current.UID == 0:
		return &wanted, nil
	case wanted.UID != current.UID:
		return nil, refused("securityContext.runAsUser", "the image starts as user %d, which can't become %d", current.UID, wanted.UID)
	case wanted.GID != current.GID:
		return nil, refused("securityContext.runAsGroup", "the image starts as user %d, which can't change its group to %d", current.UID, wanted.GID)
	default:
		return nil, refused("securityContext.supplementalGroups, fsGroup", "the image starts as user %d, which can't change its groups", current.UID)
	}
}

type lookup func(uid int) (accounts.User, []int, bool)

// wantedCredential follows container runtimes: a uid alone has the group of its entry, or 0, and the groups that name it.
// For who is that user already the runtime has done so.
func wantedCredential(user *orders.User, current Credential, find lookup) Credential {
	wanted := current
	if user.UID != nil && *user.UID != current.UID {
		wanted = Credential{UID: *user.UID}
		if entry, groups, known := find(*user.UID); known {
			wanted.GID = entry.GID
			wanted.Groups = groups
		}
	}
	if user.GID != nil {
		wanted.GID = *user.GID
	}
	if user.Strict {
		wanted.Groups = nil
	}
	list := []int{wanted.GID}
	for _, group := range slices.Concat(wanted.Groups, user.Groups) {
		if !slices.Contains(list, group) {
			list = append(list, group)
		}
	}
	wanted.Groups = list
	return wanted
}
